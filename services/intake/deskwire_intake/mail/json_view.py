"""A parsed mail as JSON, for the command line."""

from dataclasses import asdict

from deskwire_intake.mail.parsed import Address, Attachment, ParsedMail


def json_view(parsed: ParsedMail) -> dict[str, object]:
    """Show a mail as a JSON object; attachments without their bytes."""
    return {
        "subject": parsed.subject,
        "from": _address(parsed.from_) if parsed.from_ else None,
        "to": [_address(address) for address in parsed.to],
        "cc": [_address(address) for address in parsed.cc],
        "reply_to": [_address(address) for address in parsed.reply_to],
        "message_id": parsed.message_id,
        "in_reply_to": parsed.in_reply_to,
        "references": list(parsed.references),
        "date": parsed.date.isoformat() if parsed.date else None,
        "text": parsed.text,
        "html": parsed.html,
        "reply_text": parsed.reply_text,
        "attachments": [_attachment(attachment) for attachment in parsed.attachments],
        "is_auto_reply": parsed.is_auto_reply,
        "is_bounce": parsed.is_bounce,
        "defects": list(parsed.defects),
    }


def _address(address: Address) -> dict[str, str]:
    return {"address": address.address, "name": address.name}


def _attachment(attachment: Attachment) -> dict[str, object]:
    return {
        "filename": attachment.filename,
        "content_type": attachment.content_type,
        "size": attachment.size,
        "sha256": attachment.sha256,
        "content_id": attachment.content_id,
    }


def detailed_json_view(parsed: ParsedMail) -> dict[str, object]:
    """Show the signature, what servers say of a mail, how it is protected and what its files are, too."""
    view = json_view(parsed)
    return view | {
        "signature": parsed.signature,
        "protection": parsed.protection,
        "hops": list(parsed.way.hops),
        "authentication_results": [asdict(results) for results in parsed.way.authentication],
        "spam_signs": list(parsed.way.spam_signs),
        "attachments": [_attachment(file) | _contents(file) for file in parsed.attachments],
    }


def _contents(attachment: Attachment) -> dict[str, object]:
    return {
        "invitation": attachment.invitation.model_dump(mode="json") if attachment.invitation else None,
        "mail": attachment.mail.model_dump(mode="json") if attachment.mail else None,
    }
