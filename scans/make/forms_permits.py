"""The letter-sized forms: building permit, business licence and service request."""

from __future__ import annotations

from typing import Any

from .layout import Form, Sheet
from .marks import frame

CONDITIONS = (
    (
        "Work shall begin within six months of the date of issue and shall be completed within "
        "two years. A permit under which no work has begun lapses without notice."
    ),
    (
        "The permit card shall be posted where it can be read from the street until the final "
        "inspection has been signed by the Inspector of Buildings."
    ),
    (
        "The owner shall give the Inspector at least two working days of notice before footings "
        "are poured, before framing is covered and before the building is occupied."
    ),
    (
        "No change from the approved plans shall be made unless the Inspector has agreed to it in "
        "writing. Approved plans shall be kept on the site."
    ),
    (
        "Streets and sidewalks shall be kept clear of material. Damage to town property shall be "
        "made good at the expense of the holder of the permit."
    ),
    (
        "Setbacks from lot lines are to be measured from the foundation wall. The Town does not "
        "survey lot lines and takes no part in disputes about them."
    ),
    "This permit may be withdrawn if any statement in the application is found to be untrue.",
)


def building_permit() -> Form:
    """Return the building permit application, a boxed form of two pages."""
    parts = (_building_permit_front(), _building_permit_conditions())
    return Form(
        "building-permit",
        "Building permit application",
        "building",
        parts,
        "application_date",
        "{site_address} - {owner_name}",
    )


def _building_permit_front() -> Sheet:
    """Return page 1 of the building permit application."""
    s = Sheet()
    s.seal(74, 66, 32)
    s.print_text(118, 50, "TOWN OF ALDER FALLS", 15, "sans-bold")
    s.print_text(118, 65, "Department of Buildings, Town Hall, 1 Commons Square", 9)
    s.print_text(118, 90, "BUILDING PERMIT APPLICATION", 15.5, "sans-bold", anchor=True)
    s.cell((424, 36, 576, 70), "PERMIT NO.", "permit_number", pattern=r"\d{4}-\d{4}")
    s.cell((424, 70, 576, 104), "DATE OF APPLICATION", "application_date", "date", True)
    s.section((36, 116, 576, 131), "1. LOCATION OF WORK", anchor=True)
    s.cell((36, 131, 400, 165), "STREET ADDRESS OF SITE", "site_address", required=True)
    s.cell((400, 131, 576, 165), "MAP - BLOCK - LOT", "map_lot", pattern=r"\d{1,3}-\d{1,2}-\d{1,4}")
    s.section((36, 177, 576, 192), "2. OWNER AND CONTRACTOR", anchor=True)
    s.cell((36, 192, 400, 226), "NAME OF OWNER", "owner_name", required=True)
    s.cell((400, 192, 576, 226), "TELEPHONE OF OWNER", "phone", "phone", locate="under")
    s.cell((36, 226, 576, 260), "CONTRACTOR (IF NOT THE OWNER)", "contractor")
    s.section((36, 272, 576, 287), "3. DESCRIPTION OF WORK", anchor=True)
    s.box((36, 287, 576, 318))
    s.print_text(40, 296, "TYPE OF WORK (CHECK ONE)")
    kinds = ("New construction", "Addition", "Alteration", "Repair", "Demolition")
    s.choice(
        "work_type",
        "Type of work",
        list(zip((44, 164, 254, 344, 424), [311] * 5, kinds, strict=True)),
    )
    s.cell((36, 318, 576, 384), "DESCRIBE THE WORK PROPOSED", "description", lines=3)
    s.cell(
        (36, 384, 216, 418), "ESTIMATED COST OF WORK", "estimated_cost", "money", True, minimum=0
    )
    s.cell((216, 384, 396, 418), "FLOOR AREA (SQ. FT.)", "floor_area", "number", minimum=0)
    s.box((396, 384, 576, 418))
    s.tick(404, 405, "plans_attached", "Plans attached")
    s.section((36, 430, 576, 445), "4. STATEMENT OF APPLICANT", anchor=True)
    s.box((36, 445, 576, 545))
    s.print_block(
        44,
        459,
        520,
        "I state that I am the owner of the property named above or have been authorized by the "
        "owner to make this application, that the statements made here are true, and that the "
        "work will follow the building code and the zoning by-laws of the Town of Alder Falls.",
        9,
    )
    s.signature(48, 528, 330, "SIGNATURE OF APPLICANT", "applicant_signature", True)
    _office_box(s)
    s.print_text(36, 768, "Form B-101 (Rev. 7/98)", 7, anchor=True)
    s.print_text(576, 768, "Page 1 of 2 - conditions on page 2", 7, align="right")
    return s


def _office_box(s: Sheet) -> None:
    """Print the part of the building permit that the office fills in."""
    s.box((36, 562, 576, 650), 1.6, 226)
    s.print_text(44, 577, "FOR OFFICE USE ONLY", 9.5, "sans-bold", anchor=True)
    s.marks.append(frame((44, 584, 210, 618), 0.0, (255, 255, 255)))
    s.cell((44, 584, 210, 618), "PERMIT FEE", "fee", "money", locate="under", minimum=0)
    s.print_text(222, 600, "Plans checked by: ________________", 8)
    s.print_text(222, 618, "Zoning clearance:  yes / no", 8)
    s.print_text(222, 636, "Special permit needed:  yes / no", 8)
    s.print_text(44, 634, "Make checks payable to the Town.", 7.5, "sans-italic")
    s.print_block(
        36,
        672,
        540,
        "Submit one copy with two sets of plans. The application will be returned if it is not "
        "complete. Electrical, plumbing and gas work need permits of their own.",
        8.2,
    )


def _building_permit_conditions() -> Sheet:
    """Return page 2 of the building permit, the conditions and the inspector's part."""
    s = Sheet()
    s.print_text(306, 58, "TOWN OF ALDER FALLS", 12, "sans-bold", "centre")
    s.print_text(306, 80, "CONDITIONS OF THE BUILDING PERMIT", 14, "sans-bold", "centre", True)
    s.line(36, 92, 576, 92, 1.4)
    y = 116.0
    for number, condition in enumerate(CONDITIONS, 1):
        s.print_text(48, y, f"{number}.", 10, "serif")
        y = s.print_block(70, y, 490, condition, 10, "serif") + 8
    s.section((36, 420, 576, 435), "5. DECISION OF THE INSPECTOR", anchor=True)
    s.cell((36, 435, 346, 471), "INSPECTOR OF BUILDINGS", "inspector")
    s.cell((346, 435, 576, 471), "DATE APPROVED", "approval_date", "date")
    s.box((36, 471, 576, 560))
    s.print_block(
        44,
        486,
        510,
        "The plans filed with this application have been examined and the permit is granted "
        "subject to the conditions printed above.",
        9,
    )
    s.signature(48, 542, 330, "SIGNATURE OF INSPECTOR", "inspector_signature")
    s.print_text(36, 768, "Form B-101 (Rev. 7/98)", 7)
    s.print_text(576, 768, "Page 2 of 2", 7, align="right")
    return s


def business_licence() -> Form:
    """Return the business licence application, a form with ruled lines in serif type."""
    s = Sheet()
    s.box((30, 28, 582, 764), 1.8)
    s.box((34, 32, 578, 760), 0.5)
    s.seal(306, 76, 34)
    s.print_text(306, 128, "Town of Alder Falls", 13, "serif-italic", "centre")
    s.print_text(306, 152, "APPLICATION FOR BUSINESS LICENCE", 17, "serif-bold", "centre", True)
    s.print_text(
        306,
        168,
        "Please type or print. One application for each place of business.",
        9,
        "serif",
        "centre",
    )
    _business_licence_questions(s)
    _business_licence_declaration(s)
    s.print_text(56, 746, "L-20 Rev. 1/2004", 7.5, "serif", anchor=True)
    s.print_text(
        556, 746, "Licence expires December 31 of the year of issue", 7.5, "serif", "right"
    )
    return Form(
        "business-licence",
        "Business licence application",
        "licensing",
        (s,),
        "date_signed",
        "{business_name} - {owner_name}",
    )


def _business_licence_declaration(s: Sheet) -> None:
    """Print the declaration and the office's box of the business licence."""
    s.print_text(306, 462, "DECLARATION", 10.5, "serif-bold", "centre", anchor=True)
    s.print_block(
        56,
        480,
        500,
        "I declare that the statements made above are true and complete, that the business will "
        "be carried on in keeping with the by-laws of the Town, and that I will notify the Town "
        "Clerk within thirty days of any change of owner, of place or of the kind of business.",
        10,
        "serif",
    )
    s.signature(56, 566, 340, "Signature of owner or officer", "signature", True, "serif")
    s.ruled(372, 566, 556, "Date", "date_signed", "date", True, face="serif", size=10)
    s.box((56, 600, 556, 692), 1.2)
    s.print_text(
        64, 614, "Do not write in this space - Licensing Office", 8.5, "serif-italic", anchor=True
    )
    s.ruled(
        64,
        642,
        306,
        "Licence No.",
        "licence_number",
        face="serif",
        size=10,
        pattern=r"BL-\d{4}-\d{4}",
    )
    s.ruled(320, 642, 546, "Annual fee", "fee", "money", True, "beside", "serif", 10, minimum=0)
    s.print_text(64, 676, "Approved:   Fire ______   Health ______   Zoning ______", 9, "serif")


def _business_licence_questions(s: Sheet) -> None:
    """Print the numbered questions of the business licence."""
    look: dict[str, Any] = {"face": "serif", "size": 10.0}
    s.ruled(56, 204, 556, "1. Name of business", "business_name", required=True, **look)
    s.ruled(
        56, 232, 556, "2. Street address of business", "business_address", required=True, **look
    )
    s.ruled(56, 260, 556, "3. Name of owner", "owner_name", required=True, **look)
    s.ruled(56, 288, 320, "4. Telephone", "phone", "phone", locate="beside", **look)
    s.ruled(334, 288, 556, "5. Opening date", "opening_date", "date", **look)
    s.ruled(56, 316, 396, "6. Kind of business", "business_kind", required=True, **look)
    s.ruled(408, 316, 556, "7. Employees", "employees", "number", minimum=0, maximum=5000, **look)
    s.print_text(56, 348, "8. The business is a (check one)", 10, "serif", anchor=True)
    places = [
        (76, 368, "Sole owner"),
        (196, 368, "Partnership"),
        (316, 368, "Corporation"),
        (440, 368, "Non-profit"),
    ]
    s.choice("ownership", "The business is a", places, True, 10, "serif")
    s.print_text(56, 400, "9. Requested with this licence", 10, "serif")
    s.tick(76, 420, "outdoor_sign", "Outdoor sign", 10, "serif")
    s.tick(196, 420, "food_service", "Food service", 10, "serif")


def service_request() -> Form:
    """Return the public works service request, a grid of boxes with shaded heads."""
    s = Sheet()
    s.box((40, 36, 572, 92), 0.8, 232)
    s.print_text(52, 60, "SERVICE REQUEST", 20, "sans-bold", anchor=True)
    s.print_text(52, 80, "Alder Falls Public Works - Streets, Water and Grounds", 9.5, anchor=True)
    s.seal(536, 64, 24)
    s.cell((40, 98, 216, 134), "Request no.", "request_number", pattern=r"SR-\d{5}")
    s.cell((216, 98, 394, 134), "Date received", "date_received", "date", True)
    s.box((394, 98, 572, 134))
    s.print_text(398, 107, "Priority")
    s.choice("priority", "Priority", [(404, 126, "Routine"), (488, 126, "Urgent")])
    s.print_text(40, 154, "PERSON MAKING THE REQUEST", 9, "sans-bold", anchor=True)
    s.cell((40, 160, 394, 196), "Name", "requester_name", required=True)
    s.cell((394, 160, 572, 196), "Daytime telephone", "phone", "phone", locate="under")
    s.cell(
        (40, 196, 572, 232), "Location of problem (nearest house number)", "location", required=True
    )
    s.print_text(40, 252, "NATURE OF PROBLEM", 9, "sans-bold", anchor=True)
    s.box((40, 258, 572, 306))
    places = [
        (52, 276, "Pothole"),
        (212, 276, "Street light"),
        (392, 276, "Drainage"),
        (52, 296, "Tree or brush"),
        (212, 296, "Refuse"),
        (392, 296, "Other"),
    ]
    s.choice("problem", "Nature of problem", places, True, 9)
    s.cell((40, 312, 572, 420), "Details", "details", lines=5)
    _service_request_report(s)
    s.print_text(572, 760, "PW-7 (10/2011)", 7.5, align="right", anchor=True)
    return Form(
        "service-request",
        "Service request",
        "services",
        (s,),
        "date_received",
        "{request_number} {location}",
    )


def _service_request_report(s: Sheet) -> None:
    """Print the part of the service request that the foreman fills in."""
    s.print_text(
        40, 440, "WORK REPORT (to be filled in by the foreman)", 9, "sans-bold", anchor=True
    )
    s.cell((40, 446, 306, 482), "Assigned to", "assigned_to")
    s.cell((306, 446, 572, 482), "Date completed", "date_completed", "date")
    s.cell((40, 482, 306, 518), "Labour hours", "labour_hours", "number", minimum=0, maximum=400)
    s.cell((306, 482, 572, 518), "Cost of materials", "material_cost", "money", minimum=0)
    s.box((40, 518, 572, 576))
    s.tick(52, 540, "caller_notified", "Caller notified", 9)
    s.signature(260, 556, 540, "Foreman", "foreman_signature")
    s.print_text(
        306,
        610,
        "White: Public Works     Yellow: Foreman     Pink: Caller",
        8.5,
        "sans-italic",
        "centre",
    )
