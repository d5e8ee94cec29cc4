"""A web site of somebody else's, on an origin of its own, that embeds what the desk offers."""

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PAGE = """\
<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Shop</title><style>
:root {{ color-scheme: {scheme}; background: Canvas; color: CanvasText; }}
body {{ margin: 0 auto; max-width: 46rem; padding: 1.5rem; font: 17px/1.6 Georgia, serif; }}
button, input, p {{ color: red !important; letter-spacing: 9px; text-transform: uppercase; }}
</style></head><body><h1>A shop</h1><div>Everything you need.</div>{body}</body></html>
"""


@dataclass
class ForeignSite:
    """The site; its pages by their paths."""

    origin: str
    pages: dict[str, str] = field(default_factory=dict)

    def embed(self, path: str, body: str, *, scheme: str = "light dark") -> str:
        """Make a page with something in it; its address."""
        self.pages[path] = PAGE.format(body=body, scheme=scheme)
        return self.origin + path


@contextlib.contextmanager
def foreign_site() -> Iterator[ForeignSite]:
    """Serve a site on a port of its own."""
    site = ForeignSite("")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page = site.pages.get(self.path.partition("?")[0])
            self.send_response(200 if page else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write((page or "nothing here").encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    site.origin = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
