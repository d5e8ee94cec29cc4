// The sign-in and first-run pages work without scripts; this only fills in the time zone.
const zone = document.querySelector("[data-time-zone]");
if (zone) zone.value = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
