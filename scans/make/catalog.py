"""The list of files that one set consists of: which papers, how filled in, worn and scanned."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Look:
    """How one page is worn and scanned; lean is the largest skew in degrees, either way."""

    mode: str = "grey"
    dpi: int = 200
    lean: float = 1.2
    turn: int = 0
    lid: str = "crop"
    wear: tuple[str, ...] = ()
    quality: int = 52


@dataclass(frozen=True)
class Paper:
    """One record or other sheet: its kind, its pen, the look of each page."""

    kind: str
    pen: str = "typed"
    looks: tuple[Look, ...] = (Look(),)
    form_pages: tuple[int, ...] = ()
    given: dict[str, str] = field(default_factory=dict)
    empty: tuple[str, ...] = ()
    digital: bool = False


@dataclass(frozen=True)
class Entry:
    """One file of the set, what it is and why it is there."""

    file: str
    container: str
    year: int
    papers: tuple[Paper, ...]
    what: str
    why: str


def _g4(
    lean: float = 1.2,
    turn: int = 0,
    *wear: str,
    dpi: int = 200,
    lid: str = "crop",
    mode: str = "bilevel",
) -> Look:
    """Return the look of a page scanned at 1 bit."""
    return Look(mode, dpi, lean, turn, lid, wear)


BLANK = Paper("blank", "none", (Look("grey", wear=("bleed-through", "punch holes")),))

CATALOG: tuple[Entry, ...] = (
    Entry(
        "SCAN_0001.pdf",
        "pdf",
        2019,
        (
            Paper(
                "building-permit",
                "typed",
                (
                    Look(wear=("aged", "received box", "punch holes")),
                    Look(lean=0.8, wear=("aged", "punch holes")),
                ),
            ),
        ),
        "building permit, two pages, typed, JPEG inside",
        "a form of two pages with a received stamp",
    ),
    Entry(
        "SCAN_0003.pdf",
        "pdf",
        2012,
        (
            Paper("service-request", "hand", (_g4(1.5, 0, "speckle"),)),
            Paper("business-licence", "typed", (_g4(1.0, 0, "received ring"),)),
        ),
        "service request by hand and business licence, no separator between, G4 inside",
        "two records in one file that only the forms tell apart",
    ),
    Entry(
        "SCAN_0004.pdf",
        "pdf",
        2019,
        (
            Paper("building-permit", "capitals", (_g4(1.4, 0, "speckle"), _g4(2.5))),
            Paper("separator", "none", (_g4(2.0),)),
            Paper("service-request", "typed", (_g4(0.8, 0, "staple"),)),
        ),
        "building permit by hand, separator sheet, typed service request, G4 inside",
        "a separator sheet between two records",
    ),
    Entry(
        "SCAN_0007.pdf",
        "pdf",
        1986,
        (
            Paper(
                "burial-record",
                "old-typed",
                (Look("colour", lean=1.5, lid="black", wear=("buff", "speckle")),),
            ),
            BLANK,
        ),
        "burial record in colour and its blank reverse, JPEG inside",
        "a blank page that is not white: bleed-through and punch holes",
    ),
    Entry(
        "dog licences 2019.tif",
        "tiff-lzw",
        2019,
        (
            Paper("dog-licence", "typed", (Look("grey", lean=0.8),)),
            Paper("dog-licence", "hand", (Look("grey", lean=3.0, lid="white"),)),
            Paper("dog-licence", "typed", (Look("grey", lean=1.0, turn=90),)),
            Paper("dog-licence", "capitals", (Look("grey", lean=2.0, wear=("speckle",)),)),
        ),
        "four dog licences, grey TIFF with LZW; the third lies on its side",
        "several records of the same form in one file",
    ),
    Entry(
        "fax from public works.tif",
        "tiff-g4",
        2014,
        (
            Paper("service-request", "printed", (_g4(0.6, 0, "fax header", "fax"),)),
            Paper("letter", "typed", (_g4(0.6, 180, "fax header", "fax"),), (), {"about": "trees"}),
        ),
        "faxed service request and a faxed letter, upside down, G4 TIFF",
        "fax at 1 bit and 200 dpi with its header line; a page upside down",
    ),
    Entry(
        "Elm Street 12.jpg",
        "jpeg-exif6",
        2008,
        (
            Paper(
                "building-permit",
                "capitals",
                (Look("colour", lean=1.5, lid="black", wear=("aged",), quality=55),),
                (1,),
                {"site_address": "12 Elm Street"},
            ),
        ),
        "first page of a building permit, JPEG stored sideways with EXIF orientation 6",
        "only the EXIF tag says which way is up; page 2 is missing",
    ),
    Entry(
        "IMG_2041.jpg",
        "jpeg-exif3",
        2018,
        (
            Paper(
                "dog-licence",
                "hand",
                (Look("colour", lean=4.0, lid="black", wear=("coffee",), quality=60),),
            ),
        ),
        "dog licence with a coffee ring, JPEG stored upside down with EXIF orientation 3",
        "EXIF again, a larger skew and a stain",
    ),
    Entry(
        "Hollis burial card.png",
        "png",
        1974,
        (
            Paper(
                "burial-record",
                "typed",
                (Look("grey", lean=1.0),),
                (),
                {"deceased_name": "Theda R. Hollis", "next_of_kin": "Amos Hollis, son"},
            ),
        ),
        "burial record, grey PNG",
        "a PNG; a clean card",
    ),
    Entry(
        "comment card.webp",
        "webp",
        2018,
        (Paper("comment-card", "hand", (Look("colour", lean=2.0, wear=("buff",), quality=50),)),),
        "comment card by hand, WebP",
        "a WebP, which has no resolution written in it",
    ),
    Entry(
        "scan0012.bmp",
        "bmp",
        2016,
        (Paper("dog-licence", "typed", (_g4(1.0, 0, "speckle"),), (), {}, ("colour",)),),
        "dog licence, BMP of 1 bit",
        "a BMP",
    ),
    Entry(
        "minutes 1961 bound.pdf",
        "pdf",
        1961,
        (
            Paper(
                "minutes",
                "old-typed",
                (
                    _g4(0.8, 0, "punch holes", dpi=300),
                    _g4(1.0, 0, "speckle", "punch holes", dpi=300),
                    _g4(1.6, 0, "punch holes", dpi=300),
                ),
            ),
        ),
        "council minutes, three typewritten pages, 300 dpi, 1 bit, G4 inside",
        "a long record that is not a form",
    ),
    Entry(
        "Council Minutes 2021-05-11.pdf",
        "pdf",
        2021,
        (Paper("minutes", "printed", (Look(), Look()), (), {"date": "2021-05-11"}, digital=True),),
        "council minutes, two born-digital pages",
        "real text, no picture: needs no reading by OCR",
    ),
    Entry(
        "business licence - e-mailed.pdf",
        "pdf",
        2022,
        (Paper("business-licence", "printed", (Look(),), digital=True),),
        "business licence filled in on a computer, born digital",
        "a form whose answers are real text",
    ),
    Entry(
        "letter with permit attached.pdf",
        "pdf",
        2020,
        (
            Paper("letter", "printed", (Look(),), (), {"about": "permit"}, digital=True),
            Paper("building-permit", "typed", (Look(lean=0.9, wear=("streaks",)), Look(lean=0.9))),
        ),
        "born-digital letter and a scanned building permit in one PDF",
        "some pages have text, others have to be read",
    ),
    Entry(
        "SCAN_0011.pdf",
        "pdf",
        2009,
        (Paper("business-licence", "typed", (_g4(1.5, 180, "speckle", "received ring"),)),),
        "business licence upside down, G4 inside",
        "a page upside down with a stamp",
    ),
    Entry(
        "SCAN_0015.pdf",
        "pdf",
        2017,
        (
            Paper("service-request", "typed", (Look(lean=1.5, turn=90, wear=("fold",)),)),
            Paper("comment-card", "capitals", (Look(lean=2.0, turn=270, lid="black"),)),
        ),
        "service request on its left side, comment card on its right side",
        "pages turned by 90 and 270 degrees; folds",
    ),
    Entry(
        "Library card.pdf",
        "pdf",
        2003,
        (Paper("library-card", "typed", (Look(lean=2.0, lid="white", wear=("aged",)),)),),
        "library card application",
        "looks like a form but there is no template for it",
    ),
    Entry(
        "burials box 14.pdf",
        "pdf",
        1968,
        (
            Paper("burial-record", "old-typed", (Look(lean=2.5, lid="black", wear=("aged",)),)),
            Paper("burial-record", "typed", (Look(lean=1.5, turn=270, lid="black"),)),
            Paper("burial-record", "faint", (Look(lean=1.0, wear=("speckle",)),)),
            Paper("burial-record", "hand", (Look(lean=6.0, lid="black", wear=("aged",)),)),
        ),
        "four burial records, one on its side, one with a faint ribbon, one by hand",
        "a box of cards scanned at once, not all equally well",
    ),
    Entry(
        "comment cards May.pdf",
        "pdf",
        2018,
        (
            Paper("comment-card", "hand", (Look("colour", lean=2.0, lid="white"),)),
            Paper("comment-card", "capitals", (Look("colour", lean=1.0, turn=180),)),
            Paper("comment-card", "hand", (Look("colour", lean=3.0, wear=("coffee",)),)),
        ),
        "three comment cards by hand in colour, one upside down",
        "tick boxes and running handwriting",
    ),
    Entry(
        "SCAN_0019.pdf",
        "pdf",
        2011,
        (
            Paper(
                "service-request",
                "faint",
                (
                    Look(
                        "grey",
                        lean=12.0,
                        lid="black",
                        wear=("faded", "coffee", "fold", "aged"),
                        quality=30,
                    ),
                ),
            ),
        ),
        "service request, faint ribbon, coffee, folds, skewed by up to 12 degrees",
        "deliberately hard",
    ),
    Entry(
        "letter 1978 complaint.png",
        "png1",
        1978,
        (
            Paper(
                "letter",
                "old-typed",
                (_g4(1.0, 0, "fold", "received box", dpi=300),),
                (),
                {"about": "water"},
            ),
        ),
        "typewritten letter, PNG of 1 bit, 300 dpi",
        "a letter with folds and a received stamp",
    ),
    Entry(
        "DOC032519.pdf",
        "pdf",
        2018,
        (
            Paper(
                "business-licence",
                "typed",
                (Look("colour", lean=1.0, wear=("stamp over text", "dog-ear"), quality=48),),
                (),
                {},
                ("owner_name",),
            ),
        ),
        "business licence in colour with a stamp over the answers",
        "the required name of the owner was left empty",
    ),
    Entry(
        "SCAN_0022.pdf",
        "pdf",
        2015,
        (
            Paper("dog-licence", "capitals", (Look(lean=10.0, lid="black"),)),
            Paper("dog-licence", "typed", (_g4(8.0, 0, lid="white", mode="bilevel-png"),)),
        ),
        "two dog licences with a large skew, the second 1 bit (not G4)",
        "large skew within black scanner borders",
    ),
    Entry(
        "Kestrel Lane 40.tif",
        "tiff-g4",
        1999,
        (
            Paper(
                "building-permit",
                "typed",
                (_g4(1.0, 0, "photocopy", dpi=300), _g4(1.2, 180, "photocopy", dpi=300)),
                (),
                {"site_address": "40 Kestrel Lane"},
            ),
        ),
        "photocopied building permit, G4 TIFF, 300 dpi, second page upside down",
        "a worn copy of a copy",
    ),
    Entry(
        "permits 2006 (old OCR).pdf",
        "pdf-old-text",
        2006,
        (
            Paper("business-licence", "typed", (Look(lean=1.0, wear=("speckle",)),)),
            Paper("business-licence", "hand", (Look(lean=1.5, wear=("bleed-through",)),)),
        ),
        "two business licences over which an old hidden text layer lies",
        "the hidden text (render mode 3) is wrong and must not be believed",
    ),
)
