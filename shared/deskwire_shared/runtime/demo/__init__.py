"""A believable desk to look at: a maker of loudspeakers, its agents, and two weeks of tickets."""
