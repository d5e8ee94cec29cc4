"""Configuration as code: the settings of a desk as JSON files, checked as a whole and compared with what is there."""
