"""HTML that needs nothing else -> a PDF of it, by Chromium. Scripts are off, and nothing is fetched from anywhere."""

from __future__ import annotations

import base64

from markupsafe import Markup

from comms.preview.chromium import Chromium

_PAPER = {"paperWidth": 8.5, "paperHeight": 11.0}
"""Inches; the page's own style may say otherwise."""
_FOOT = Markup(
    '<div style="font: 8px sans-serif; color: #59626b; width: 100%; margin: 0 15mm; display: flex;'
    ' justify-content: space-between"><span>{}</span>'
    '<span><span class="pageNumber"></span> / <span class="totalPages"></span></span></div>'
)


def to_pdf(program: str, html: str, foot: str) -> bytes:
    """The page on paper, with `foot` and the number of the page below each. Raises BrowserError.

    It is tagged, so that it can be read aloud (PDF/UA), and has an outline of its headings.
    """
    with Chromium(program) as chromium:
        target = chromium.call("Target.createTarget", url="about:blank")["targetId"]
        session = chromium.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        chromium.call("Page.enable", session)
        chromium.call("Emulation.setScriptExecutionDisabled", session, value=True)
        chromium.call("Network.enable", session)
        chromium.call("Network.setBlockedURLs", session, urls=["*"])
        light = [{"name": "prefers-color-scheme", "value": "light"}]
        chromium.call("Emulation.setEmulatedMedia", session, features=light)
        frame = chromium.call("Page.getFrameTree", session)["frameTree"]["frame"]["id"]
        chromium.call("Page.setDocumentContent", session, frameId=frame, html=html)
        printed = chromium.call(
            "Page.printToPDF",
            session,
            **_PAPER,
            printBackground=True,
            preferCSSPageSize=True,
            displayHeaderFooter=True,
            headerTemplate="<span></span>",
            footerTemplate=_FOOT.format(foot),
            generateTaggedPDF=True,
            generateDocumentOutline=True,
        )
    return base64.b64decode(printed["data"])
