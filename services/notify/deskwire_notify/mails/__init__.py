"""How a mail of the desk comes to be: what it says to whom, and how it is written down.

`writing` looks up who writes to whom, `letters` makes the letter in the words of `wording`, and `composing` writes it
down.
"""
