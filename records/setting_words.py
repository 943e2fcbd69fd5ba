"""What each setting does, in a sentence: the site shows it, and docs/settings.md is held to it."""

from __future__ import annotations

from collections.abc import Mapping

SENTENCES: Mapping[str, Mapping[str, str]] = {
    "archive": {
        "folder": (
            "Where everything is kept: originals/, pages/, records.db, index/, inbox/, "
            "quarantine/ and work/."
        ),
        "free_mb": (
            "Files are refused when less room than this, in megabytes, would be left on the disk."
        ),
    },
    "intake": {
        "workers": (
            "How many pages are read at a time, each in a process of its own; 0 means one for "
            "each core."
        ),
        "department": (
            "Where records go when neither the person who hands them in nor their form says."
        ),
        "split": (
            "Where a new record begins in a file: after a separator sheet, at the first page "
            "of a form, after a blank page."
        ),
        "separator_barcode": (
            'The text of the barcodes that separator sheets have, as a regular expression; "" '
            "for none."
        ),
        "split_every": (
            "A new record also begins after so many pages, blank ones counted, from where the "
            "last one began; 0 means never."
        ),
        "settle_s": (
            "Seconds that a file in a watched folder must stay unchanged before it is taken."
        ),
        "tries": "After so many failures a file is set aside and not tried again.",
    },
    "limits": {
        "file_mb": "The largest file, in megabytes.",
        "pages": "The most pages in one file.",
        "megapixels": "The largest page, in millions of pixels.",
        "page_s": "Seconds after which work on one page is given up.",
        "memory_mb": "Memory, in megabytes, that one reading process may use.",
    },
    "clean": {
        "turn": "Put pages upright that lie on a side or stand on their head.",
        "deskew": "Straighten pages that were fed in at an angle, up to 15 degrees.",
        "crop": "Cut off the dark borders that a scanner leaves.",
        "background": "Even out shadows, stains and yellowed paper.",
        "speckle": "Take out dust and fax noise.",
        "pdf_dpi": "Dots per inch for PDF pages that must be drawn.",
    },
    "read": {
        "mode": (
            "Who reads a page: Tesseract alone, a second reader too where something is in "
            "doubt, or both all of it."
        ),
        "languages": "The languages on the paper, the most used first.",
        "born_digital": (
            "A PDF page that has its own text and no large picture: keep its text, or read it "
            "from a picture."
        ),
        "hidden_text": (
            "An old, invisible text layer under a scan: read the page afresh, or keep the layer."
        ),
        "timeout_s": "Seconds that reading one page may take.",
    },
    "forms": {
        "folder": "Where the form templates are, a TOML file each.",
        "sure": "A field whose confidence is lower is shown to a person.",
        "page_sure": "A record with a page whose mean confidence is lower is shown to a person.",
        "day_first": "Whether 03/04/2019 is the third of April; if not, it is March 4.",
        "region": "Whose telephone numbers are meant when no country code is written.",
    },
    "check": {
        "sample": (
            "Of the fields that passed unseen, the share that a person is shown all the same, "
            "mixed in with the others."
        ),
        "hold_minutes": (
            "What a person has on the screen is given to nobody else, for so long after the "
            "last thing that they did."
        ),
    },
    "search": {
        "engine": "The index engine; there is one for now.",
        "page_size": "Hits on one page of results.",
    },
    "web": {
        "host": "The address to serve on; only this machine sees 127.0.0.1.",
        "port": "The port to serve on.",
        "processes": "Processes that serve the site.",
        "threads": "People served at the same moment, by all processes together.",
        "session_hours": "A person who does nothing for so long is signed out.",
        "upload_mb": "The most that may be sent from a browser at a time, in megabytes.",
        "secure_cookies": (
            "true when the site is behind HTTPS: the browser then never sends the sign-in in "
            "the clear."
        ),
    },
}
