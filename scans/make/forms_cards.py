"""The card-sized forms: dog licence, comment card, burial record and library card."""

from __future__ import annotations

from typing import Any

from .layout import Form, Sheet


def dog_licence() -> Form:
    """Return the dog licence application, a card of 7 by 5 inches."""
    s = Sheet(504, 360)
    s.box((12, 12, 492, 348), 1.4)
    s.seal(46, 46, 25)
    s.print_text(84, 36, "TOWN OF ALDER FALLS - TOWN CLERK", 9, "sans-bold")
    s.print_text(84, 57, "APPLICATION FOR DOG LICENCE", 15, "sans-bold", anchor=True)
    s.cell((386, 22, 482, 64), "TAG NO.", "tag_number", "number", minimum=1, maximum=9999)
    s.line(12, 76, 492, 76, 1.4)
    s.ruled(22, 96, 482, "Name of owner", "owner_name", required=True)
    s.ruled(22, 118, 310, "Street address", "address", required=True)
    s.ruled(318, 118, 482, "Telephone", "phone", "phone", locate="beside")
    s.line(12, 128, 492, 128)
    s.print_text(22, 141, "DESCRIPTION OF DOG", 8.5, "sans-bold", anchor=True)
    s.ruled(22, 162, 200, "Name of dog", "dog_name", required=True)
    s.ruled(210, 162, 482, "Breed", "breed", locate="beside")
    s.ruled(22, 184, 200, "Colour", "colour")
    s.print_text(210, 184, "Sex:")
    places = [
        (234, 184, "Male"),
        (286, 184, "Neutered male"),
        (364, 184, "Female"),
        (420, 184, "Spayed female"),
    ]
    s.choice("sex", "Sex", places, True, 7.4)
    s.line(12, 194, 492, 194)
    s.print_text(22, 207, "RABIES VACCINATION", 8.5, "sans-bold", anchor=True)
    s.ruled(22, 228, 254, "Veterinarian", "veterinarian")
    s.ruled(264, 228, 482, "Vaccination expires", "rabies_expires", "date", True)
    s.line(12, 238, 492, 238)
    s.box((330, 246, 484, 326), 1.0, 232)
    s.print_text(336, 258, "CLERK'S USE ONLY", 8, "sans-bold", anchor=True)
    s.ruled(336, 284, 478, "Fee paid", "fee", "money", True, minimum=0)
    s.ruled(336, 310, 478, "Date issued", "date_issued", "date", True)
    s.tick(22, 260, "renewal", "Renewal of last year's licence", 8)
    s.signature(22, 314, 306, "Signature of owner", "owner_signature", True)
    s.print_text(22, 341, "C-12 (3/2009)", 6.8, anchor=True)
    s.print_text(
        482, 341, "Licences expire April 30. Rabies certificate must be shown.", 6.8, align="right"
    )
    return Form(
        "dog-licence",
        "Dog licence application",
        "licensing",
        (s,),
        "date_issued",
        "{dog_name} - {owner_name}",
    )


def comment_card() -> Form:
    """Return the resident comment card, a half sheet of 5.5 by 8.5 inches."""
    s = Sheet(396, 612)
    s.print_text(198, 50, "WE WANT TO HEAR FROM YOU", 17, "sans-bold", "centre", True)
    s.print_text(198, 68, "Resident comment card - Town of Alder Falls", 10, "sans", "centre", True)
    s.line(30, 78, 366, 78, 2.0)
    s.print_text(30, 98, "This is a", 9, "sans-bold")
    places = [(90, 98, "Complaint"), (180, 98, "Suggestion"), (276, 98, "Compliment")]
    s.choice("comment_type", "This is a", places, True, 9)
    s.print_text(30, 122, "It is about (check one)", 9, "sans-bold", anchor=True)
    places = [
        (42, 142, "Roads and sidewalks"),
        (42, 160, "Water and sewer"),
        (42, 178, "Parks and library"),
        (210, 142, "Police and fire"),
        (210, 160, "Town Hall service"),
        (210, 178, "Something else"),
    ]
    s.choice("topic", "It is about", places, False, 9)
    s.cell((30, 192, 366, 376), "YOUR COMMENT", "comment", lines=8)
    for step in range(1, 8):
        y = 192 + 11 + (376 - 192 - 12) / 8 * step
        s.line(38, y, 358, y, 0.35)
    _comment_card_sender(s)
    s.print_text(366, 594, "TC-33 2017", 7, align="right")
    return Form(
        "comment-card",
        "Resident comment card",
        "clerk",
        (s,),
        "date",
        "{comment_type}: {topic} - {name}",
    )


def _comment_card_sender(s: Sheet) -> None:
    """Print the part of the comment card that asks who sends it."""
    s.print_text(30, 398, "If you would like an answer:", 9, "sans-bold", anchor=True)
    s.ruled(30, 424, 366, "Name", "name", size=9, locate="beside")
    s.ruled(30, 450, 366, "Address", "address", size=9)
    s.ruled(30, 476, 210, "Phone", "phone", "phone", size=9, locate="beside")
    s.ruled(222, 476, 366, "Date", "date", "date", size=9)
    s.tick(30, 500, "call_back", "Please telephone me", 9)
    s.tick(190, 500, "may_publish", "You may print my comment", 9)
    s.box((30, 516, 366, 574), 0.8, 236)
    s.print_text(
        198,
        533,
        "Drop this card in the box at Town Hall or at the library.",
        8.6,
        "sans",
        "centre",
        True,
    )
    s.print_text(198, 549, "Office of the Town Clerk, 1 Commons Square", 8.6, "sans", "centre")
    s.print_text(198, 563, "Telephone (555) 555-0100", 8.6, "sans", "centre")


def burial_record() -> Form:
    """Return the cemetery's record of interment, an index card of 8 by 5 inches."""
    s = Sheet(576, 360)
    serif: dict[str, Any] = {"face": "serif", "size": 9.6}
    s.print_text(28, 34, "ALDER FALLS CEMETERY COMMISSION", 11, "serif-bold", anchor=True)
    s.print_text(28, 54, "RECORD OF INTERMENT", 15, "serif-bold", anchor=True)
    s.ruled(356, 34, 548, "Register No.", "register_number", pattern=r"[A-Z]-\d{3,5}", **serif)
    s.ruled(
        356, 56, 548, "Plot", "plot", pattern=r"[A-Z]\d{0,2}-\d{1,3}-\d", locate="beside", **serif
    )
    s.line(28, 66, 548, 66, 1.2)
    s.line(28, 69, 548, 69, 0.5)
    s.ruled(28, 96, 548, "Name of deceased", "deceased_name", required=True, **serif)
    s.ruled(28, 122, 290, "Date of death", "date_of_death", "date", True, **serif)
    s.ruled(304, 122, 548, "Date of burial", "date_of_burial", "date", True, **serif)
    s.ruled(28, 148, 176, "Age in years", "age", "number", minimum=0, maximum=120, **serif)
    s.ruled(190, 148, 548, "Place of birth", "place_of_birth", **serif)
    s.ruled(28, 174, 548, "Late residence", "residence", **serif)
    s.ruled(28, 200, 330, "Funeral director", "funeral_director", **serif)
    s.ruled(344, 200, 548, "Charges", "charges", "money", locate="beside", minimum=0, **serif)
    s.ruled(28, 226, 548, "Nearest relative", "next_of_kin", **serif)
    s.print_text(28, 254, "Kind of burial:", 9.6, "serif", anchor=True)
    places = [
        (110, 254, "Casket"),
        (190, 254, "Cremated remains"),
        (320, 254, "Infant"),
        (400, 254, "Removal"),
    ]
    s.choice("burial_kind", "Kind of burial", places, False, 9.6, "serif")
    s.tick(28, 280, "perpetual_care", "Perpetual care paid", 9.6, "serif")
    s.signature(304, 306, 548, "Superintendent", "superintendent_signature", False, "serif")
    s.print_text(28, 340, "Cem. Form 4, 5M 6-58", 7.4, "serif", anchor=True)
    s.print_text(548, 340, "Keep this card in the vault. Do not lend.", 7.4, "serif", "right", True)
    return Form(
        "burial-record",
        "Record of interment",
        "records",
        (s,),
        "date_of_burial",
        "{deceased_name}, plot {plot}",
    )


def library_card() -> Form:
    """Return a library card application, for which there is no template on purpose."""
    s = Sheet(504, 360)
    s.print_text(252, 40, "ALDER FALLS FREE LIBRARY", 16, "serif-bold", "centre")
    s.print_text(252, 60, "Request for a borrower's card", 12, "serif-italic", "centre")
    s.line(24, 72, 480, 72, 1.0)
    serif: dict[str, Any] = {"face": "serif", "size": 9.6}
    s.ruled(24, 100, 480, "Name in full", "name", **serif)
    s.ruled(24, 128, 480, "Home address", "address", **serif)
    s.ruled(24, 156, 240, "Telephone", "phone", "phone", **serif)
    s.ruled(250, 156, 480, "Date of birth", "birth_date", "date", **serif)
    s.ruled(24, 184, 480, "School or employer", "school", **serif)
    s.choice(
        "reader",
        "Reader",
        [(24, 210, "Adult"), (104, 210, "Child"), (184, 210, "Teacher")],
        False,
        9.6,
        "serif",
    )
    s.print_block(
        24,
        236,
        456,
        "I agree to follow the rules of the library, to pay fines "
        "promptly and to give notice of any change of address.",
        9.6,
        "serif",
    )
    s.signature(24, 300, 270, "Signature of borrower", "signature", False, "serif")
    s.ruled(300, 300, 480, "Card No.", "card_number", **serif)
    return Form("library-card", "Library card application", "clerk", (s,), "", "{name}")
