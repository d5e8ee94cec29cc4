"""What the mail listener answers (RFC 5321, with the codes of RFC 3463)."""

from typing import Final

ACCEPTED: Final = "250 2.0.0 The mail was accepted as {receipt}"
TRY_LATER: Final = "451 4.3.0 The mail cannot be kept at the moment; please try again later"
TOO_BIG: Final = "552 5.3.4 The mail is too large"
TOO_MANY_RECIPIENTS: Final = "452 4.5.3 Too many recipients"
TOO_MANY_MAILS: Final = "450 4.7.1 Too many mails from you; please try again later"
UNKNOWN_RECIPIENT: Final = "550 5.1.1 There is no such mailbox here"
TOO_MANY_CONNECTIONS: Final = "421 4.3.2 Too many connections; please try again later"
OUT_OF_MEMORY: Final = "421 4.3.1 Too many mails at once; please try again later"
STOPPING: Final = "421 4.3.2 The desk is being stopped; please try again later"
