# ruff: noqa: RUF001  # the words of other alphabets look like ours
"""What mail programs write above the mail they answer and below the one they send, in the languages they speak."""

import re
from collections.abc import Iterable


def _any_of(words: Iterable[str]) -> str:
    return "(?:" + "|".join(sorted(words, key=len, reverse=True)) + ")"


def _head_field(words: Iterable[str]) -> re.Pattern[str]:
    return re.compile(rf"^[ \t]*\*?{_any_of(words)}\*?[ \t]*[:\uff1a]", re.IGNORECASE | re.MULTILINE)


_SOMEONE_WROTE = (
    *("wrote", "writes", "schrieb", "a écrit", "escribió", "ha scritto", "schreef", "geschreven", "escreveu"),
    *("skrev", "kirjoitti", "napsal", "napsala", r"napsal\(a\)", "pisze", "napisał", "napisała", r"napisał\(a\)"),
    *("írta", "a scris", "yazdı", "написал", "написала", r"написал\(а\)", "пишет", "пише", "έγραψε", "viết"),
)
_SOMEONE_WROTE_UNSPACED = ("写道", "寫道", "のメール", "さんは書きました", "님이 작성")

WROTE = re.compile(
    rf"\b{_any_of(_SOMEONE_WROTE)}(?!\w)\s*(?:\([^)]{{0,40}}\))?\s*:|{_any_of(_SOMEONE_WROTE_UNSPACED)}\s*[:\uff1a]",
    re.IGNORECASE,
)
HEAD_FROM = _head_field(
    (
        *("from", "von", "de", "da", "van", "od", "från", "fra", "lähettäjä", "feladó", "kimden", "от"),
        *("差出人", "发件人", "寄件者", "보낸 사람"),
    )
)
HEAD_SENT_OR_TO = _head_field(
    (
        *("sent", "date", "to", "gesendet", "datum", "an", "envoyé", "date d'envoi", "à", "fecha", "para"),
        *("enviado", "enviado el", "enviado em", "enviada", "enviada em", "inviato", "a", "verzonden", "aan"),
        *("wysłano", "data", "do", "skickat", "till", "sendt", "dato", "til", "lähetetty", "vastaanottaja"),
        *("odesláno", "komu", "elküldve", "címzett", "gönderildi", "kime", "отправлено", "дата", "кому"),
        *("送信日時", "宛先", "发送时间", "收件人", "傳送時間", "收件者", "보낸 날짜", "받는 사람"),
    )
)
HEAD_SUBJECT = _head_field(
    (
        *("subject", "betreff", "objet", "asunto", "oggetto", "onderwerp", "assunto", "temat", "ämne", "emne"),
        *("aihe", "předmět", "tárgy", "konu", "тема", "件名", "主题", "主旨", "제목"),
    )
)
OUT_OF_OFFICE = re.compile(
    _any_of(
        (
            *("auto(?:matic|mated)?[- ]?reply", "auto[- ]?response", "out of (?:the )?office"),
            *("automatische antwort", "abwesenheits(?:notiz|assistent|nachricht)", "réponse automatique"),
            *("absence du bureau", "respuesta automática", "fuera de (?:la )?oficina", "risposta automatica"),
            *("fuori sede", "automatisch antwoord", "resposta automática", "odpowiedź automatyczna", "autosvar"),
            *("автоответ", "自動応答", "自动答复"),
        )
    )
    + r"(?!\w)",
    re.IGNORECASE,
)

_DEVICE = _any_of(
    (
        *("iphon", "ipad", "ipod", "android", "samsung", "galaxy", "xiaomi", "redmi", "huawei", "pixel", "blackberry"),
        *("outlook", "yahoo mail", "proton ?mail", "mail for windows", "mail für windows", "courrier pour windows"),
        *(
            "mail app",
            "gmx",
            "web\\.de",
            "smartphone",
            "smart phone",
            "mobile device",
            "mobilgerät",
            "handy",
            "телефон",
        ),
    )
)
_SENT_FROM = (
    *("sent (?:from|via|with)", "get outlook for", "gesendet (?:von|mit|aus)", "holen sie sich outlook für"),
    *("envoyé (?:de|depuis|à partir de)", "obtenez outlook pour", "télécharge[zr] outlook pour"),
    *("enviado (?:desde|do|da|de|pelo)", "obtener outlook para", "obter o outlook para"),
    *("inviato (?:da|dal|dall')", "scarica outlook per", "ottieni outlook per", "verstuurd vanaf", "verzonden vanaf"),
    *("wysłan[eo] ze?", "pobierz aplikację outlook", "skickat från", "hämta outlook för", "sendt fra"),
    *("hent outlook (?:for|til)", "lähetetty", "odesláno ze?", "отправлено (?:с|из)", "надіслано з", "στάλθηκε από"),
)
_SENT_FROM_BEHIND = (
    *("gesendet", "gönderildi", "küldve", "から送信", "发送", "發送", "에서 보냄"),
    *("发自我的 ?iphone", "發自我的 ?iphone", "发自我的 ?ipad", "發自我的 ?ipad"),
)

SENT_FROM = re.compile(
    rf"[ \t]*(?=[^\n]{{0,60}}{_DEVICE})"
    rf"(?:{_any_of(_SENT_FROM)}(?!\w)(?:[^\n?!:.]|\.(?=\w)){{0,60}}|[^\n?!:]{{0,80}}{_any_of(_SENT_FROM_BEHIND)}\.?)"
    r"(?:[<(\[]https?://[^\s<>()\[\]]{1,300}[>)\]]?)?[ \t]*\Z",
    re.IGNORECASE,
)
"""A last line such as "Sent from my iPhone"."""
