"""Papers that are not forms: council minutes, letters, the separator sheet, blank reverses."""

from __future__ import annotations

from datetime import date

import numpy as np

from .faces import text_width, wrap
from .filling import FilledPage, Pen, scribble, write_row
from .layout import Form, Sheet
from .marks import Line, Mark, reading_text
from .people import LAST, STREETS, WORKS, Inventor, write_date

MOTIONS = (
    (
        "Councillor {a} moved that the minutes of the last meeting be approved as read. Councillor "
        "{b} seconded. Carried, all in favor."
    ),
    (
        "The Superintendent of Streets reported that {street} has been patched from the bridge to "
        "the school and that the grader is again in running order. Councillor {a} asked when the "
        "sidewalk on {street2} would be made safe. The Superintendent answered that it would be "
        "done before the first frost if the sand arrives."
    ),
    (
        "The Treasurer read the list of warrants in the sum of ${sum}. On motion of Councillor {b}, "
        "seconded by Councillor {c}, the warrants were approved and ordered paid."
    ),
    (
        "A petition was received from eleven residents of {street} asking for a street light at the "
        "foot of the hill. Councillor {c} moved that it be referred to the Committee on Lights. "
        "Seconded by Councillor {a}. Carried."
    ),
    (
        "The Chair opened the hearing on the petition of {d} for leave to keep a garage at {number} "
        "{street2}. Two abutters spoke, one in favor and one against. The hearing was closed and "
        "the matter laid over to the next meeting."
    ),
    (
        "Councillor {b} moved that the fee for a dog licence be raised by one dollar. There was no "
        "second and the motion was lost."
    ),
    (
        "The Chief of the Fire Department asked for four hundred feet of hose. Councillor {a} moved "
        "to take the cost of ${sum2} from the reserve. Seconded by Councillor {c}. Carried, three in "
        "favor and one against."
    ),
    "The Clerk read a letter from the Library Trustees thanking the Council for the new stove.",
    (
        "Under new business the Council discussed the parking of carts on Commons Square on market "
        "days. The Clerk was asked to draw up an order and to have it ready for the next meeting."
    ),
    (
        "Councillor {c} reported for the Committee on Parks that the bandstand needs a new "
        "floor. The committee was asked to obtain two prices."
    ),
    (
        "The Constable reported nine complaints in the month, of which four concerned dogs at "
        "large on {street}. He asked that the pound be given a lock."
    ),
    (
        "A letter was read from {d} of {number} {street2} about water in the cellar. It was "
        "referred to the Superintendent of Streets."
    ),
    (
        "Councillor {b} moved that the Town Hall be lent without charge to the Garden Club "
        "for its spring show. Seconded by Councillor {a}. Carried."
    ),
    (
        "The Assessors asked for leave to correct the valuation of the lot at {number} "
        "{street}. Leave was granted."
    ),
    (
        "Three sealed bids for winter sand were opened. The lowest, of ${sum2}, was accepted "
        "on motion of Councillor {c}, seconded by Councillor {b}."
    ),
    (
        "The Board of Health reported that the well on {street2} has been tested again and "
        "found fit for use. The notice posted in April will be taken down."
    ),
    (
        "Councillor {a} asked that the hours of the dump be printed in the newspaper before "
        "the season begins. The Clerk agreed to see to it."
    ),
    (
        "The Chair named {d} to the Cemetery Commission for a term of three years. There was "
        "no objection."
    ),
    (
        "The School Committee asked for a crossing guard on {street}. Councillor {c} said "
        "that the matter belongs with the Constable and it was so referred."
    ),
    (
        "Councillor {b} reported that the clock on the Town Hall loses ten minutes in a week "
        "and that the price of repair is ${sum2}. Laid on the table."
    ),
    (
        "The Tree Warden asked leave to take down two elms on {street2}. Councillor {a} asked "
        "that young maples be set in their place. Leave was granted on that condition."
    ),
    (
        "On motion of Councillor {c} the Treasurer was authorized to borrow up to ${sum} in "
        "anticipation of taxes. Carried by a vote of four in favor."
    ),
    (
        "The Council voted its thanks to {d}, who retires this month after thirty years as "
        "janitor of the Town Hall."
    ),
    (
        "An order on the keeping of fowl within forty feet of a dwelling was read for the "
        "first time. The second reading was set for the next meeting."
    ),
    (
        "Residents of {street} asked when the snow fence would be put up. The Superintendent "
        "answered that it would stand before Thanksgiving."
    ),
    (
        "Councillor {b} moved to print two hundred copies of the annual report at a cost of "
        "${sum2}. Seconded by Councillor {c}. Carried."
    ),
)
LETTERS = {
    "water": (
        (
            "I write again about the water that gathers in front of my house at {number} {street} "
            "after every hard rain. I first called at Town Hall about it in the spring and was told "
            "that the catch basin would be cleaned."
        ),
        (
            "Last week the water came over the step and into the cellar, where it stood four inches "
            "deep and ruined a barrel of potatoes and a sewing machine. I have put the loss at "
            "${sum} and enclose a list."
        ),
        (
            "I ask the Town to clean the basin before the autumn rains and to consider paying a fair "
            "part of my loss. I would be glad to show the place to anyone whom you may send."
        ),
    ),
    "permit": (
        (
            "Enclosed please find my application for a building permit together with the page of "
            "conditions, which I have read. Two sets of plans will follow under separate cover."
        ),
        (
            "My builder would like to begin within the month. If anything is missing I can be reached "
            "most evenings at (555) 555-01{last}, and I am glad to come to Town Hall."
        ),
        (
            "I have told my neighbors at {number} {street} about the work and they have no objection. "
            "A check for the fee of ${sum} is in the mail."
        ),
    ),
    "trees": (
        (
            "The maple in front of {number} {street} has lost two large limbs since the winter, and a "
            "third now hangs over the walk that the school children use."
        ),
        (
            "The crew that came in May took away what lay on the ground and left the rest. A tree man "
            "has offered to do the work for ${sum}, but as the tree stands on town land I did not "
            "think it right to let him begin."
        ),
        (
            "Please let me know by telephone, at (555) 555-01{last}, whether the Town will see to it "
            "or whether I may."
        ),
    ),
}


class _Typist:
    """Types paragraphs down a page and begins new pages when one is full."""

    def __init__(self, pen: Pen, rng: np.random.Generator, day: date) -> None:
        self.pen, self.rng, self.bottom = pen, rng, 715.0
        self.values = {"date": day.isoformat()}
        self.done: list[FilledPage] = []
        self.marks: list[Mark] = []
        self.lines: list[Line] = []
        self.y = 84.0

    def row(self, text: str, x: float = 84.0, centre: bool = False) -> None:
        """Type one line and go to the next."""
        if centre:
            x = 306 - text_width(text, self.pen.face, self.pen.size) / 2
        self.marks += write_row(x, self.y, text, self.pen, self.rng)
        self.lines.append(Line(x, self.y, text))
        self.y += self.pen.size * 1.5

    def sign(self, x: float) -> None:
        """Sign by hand and leave the room which that takes."""
        self.y += 28
        self.marks += scribble(x, self.y - 8, 140, self.rng)
        self.y += 8

    def paragraph(self, text: str, indent: float = 0.0) -> None:
        """Type a wrapped paragraph and a gap, on a new page if it does not fit."""
        rows = wrap(text, self.pen.face, self.pen.size, 444 - indent)
        if self.y + len(rows) * self.pen.size * 1.5 > self.bottom:
            self.turn_page()
        for row in rows:
            self.row(row, 84 + indent)
        self.y += self.pen.size * 0.8

    def turn_page(self) -> None:
        """Finish this page and number the next."""
        text = reading_text(self.lines)
        self.done.append(FilledPage(612, 792, tuple(self.marks), text, {}, self.values))
        self.marks, self.lines, self.y = [], [], 60.0
        self.row(f"- {len(self.done) + 1} -", centre=True)
        self.y += 20


def minutes(pages: int, inventor: Inventor, pen: Pen, day: date) -> list[FilledPage]:
    """Return council minutes of the given number of pages."""
    typist = _Typist(pen, inventor.rng, day)
    typist.row("TOWN OF ALDER FALLS", centre=True)
    typist.row("MINUTES OF THE TOWN COUNCIL", centre=True)
    typist.row(f"Regular meeting of {write_date(day, 1)}", centre=True)
    typist.y += 14
    a, b, c, d = (LAST[int(n)] for n in inventor.rng.choice(len(LAST), 4, replace=False))
    typist.paragraph(
        f"The meeting was called to order in the Council Chamber at 7:30 p.m. by the Chair. "
        f"Present were Councillors {a}, {b}, {c} and {d}. A quorum being present, the Council "
        "proceeded to business."
    )
    number = 0
    order: list[int] = []
    while len(typist.done) < pages - 1 or typist.y < 520:
        order = order or [0, *(int(n) + 1 for n in inventor.rng.permutation(len(MOTIONS) - 1))]
        number += 1
        text = MOTIONS[order.pop(0)].format(
            a=a,
            b=b,
            c=c,
            d=inventor.name().written,
            street=inventor.pick(STREETS),
            street2=inventor.pick(STREETS),
            number=inventor.rng.integers(2, 90),
            sum=f"{inventor.rng.integers(900, 9000):,}.{inventor.rng.integers(0, 99):02d}",
            sum2=f"{inventor.rng.integers(100, 900)}.00",
        )
        typist.paragraph(f"{number}. {text}", 0)
    typist.paragraph(
        f"There being no further business, Councillor {c} moved to adjourn. The meeting was "
        "adjourned at 9:50 p.m."
    )
    typist.row("Respectfully submitted,")
    typist.sign(88)
    typist.row(f"{inventor.name().written}, Town Clerk")
    typist.turn_page()
    return typist.done


def letter(about: str, inventor: Inventor, pen: Pen, day: date) -> list[FilledPage]:
    """Return a resident's letter to the town, one page."""
    typist = _Typist(pen, inventor.rng, day)
    number, street = inventor.rng.integers(2, 90), inventor.pick(STREETS)
    writer = inventor.name().written
    for row in (f"{number} {street}", "Alder Falls", write_date(day, 1)):
        typist.row(row, 340)
    typist.y += 16
    for row in ("To the Town Council", "Town Hall, 1 Commons Square", "Alder Falls"):
        typist.row(row)
    typist.y += 16
    typist.row("Gentlemen and Ladies:")
    typist.y += 6
    for part in LETTERS[about]:
        amount = f"{inventor.rng.integers(20, 90)}.50"
        last = f"{inventor.rng.integers(10, 99)}"
        typist.paragraph(part.format(number=number, street=street, sum=amount, last=last))
    typist.row("Yours truly,", 340)
    typist.sign(344)
    typist.row(writer, 340)
    typist.turn_page()
    return typist.done


def separator() -> Form:
    """Return the separator sheet which is laid between two records before scanning."""
    s = Sheet()
    for top in (48, 84, 690, 726):
        s.box((48, top, 564, top + 22), 0, 20)
    s.print_text(306, 300, "SEPARATOR", 68, "sans-bold", "centre", True)
    s.print_text(306, 376, "SHEET", 68, "sans-bold", "centre", True)
    s.print_text(
        306,
        440,
        "Place this sheet between two records before scanning.",
        15,
        "sans",
        "centre",
        True,
    )
    s.print_text(
        306,
        466,
        "It is no record. It stays with the file that it is in.",
        15,
        "sans",
        "centre",
        True,
    )
    for bar, width in enumerate((9, 3, 6, 3, 9, 3, 3, 6, 9, 6, 3, 9, 3, 6, 9)):
        left = 172 + bar * 18
        s.box((left, 540, left + width, 620), 0, 20)
    return Form("separator", "Separator sheet", "clerk", (s,), role="separator")


def reverse_of(kind: str) -> Sheet:
    """Return what could be printed on the other side of a page, to show through."""
    s = Sheet()
    s.print_text(306, 120, "INSTRUCTIONS", 16, "serif-bold", "centre")
    y = 150.0
    for text in (*WORKS.values(), *LETTERS["water"], *MOTIONS[:4]):
        y = s.print_block(60, y, 492, text, 10, "serif") + 10
    s.print_text(306, 740, f"See other side ({kind})", 9, "serif", "centre")
    return s
