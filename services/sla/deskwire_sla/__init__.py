"""Service level targets, calendars, clocks and timers."""
