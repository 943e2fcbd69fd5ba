"""Invents the people, places and answers with which forms are filled in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TypeVar

import numpy as np

Item = TypeVar("Item")

WOMEN = (
    "Marguerite",
    "Theda",
    "Rosalind",
    "Winifred",
    "Hazel",
    "Priya",
    "Ingrid",
    "Nadia",
    "Opal",
    "Beatriz",
    "Lucille",
    "Saoirse",
    "Delphine",
)
MEN = (
    "Orville",
    "Clement",
    "Ambrose",
    "Desmond",
    "Lionel",
    "Mateo",
    "Tobias",
    "Gilbert",
    "Rufus",
    "Kenji",
    "Emmett",
    "Walter",
    "Amos",
)
FIRST = WOMEN + MEN
LAST = (
    "Ostrander",
    "Pellington",
    "Quillby",
    "Tamsworth",
    "Hollis",
    "Birchmere",
    "Fennimore",
    "Okonjo",
    "Varga",
    "Lindqvist",
    "Marsh",
    "Delacourt",
    "Thorne",
    "Whitcomb",
    "Pike",
    "Sandoval",
    "Abernethy",
    "Castellane",
    "Grubb",
    "Nakashima",
    "Ridgeway",
    "Tolliver",
    "Yarrow",
    "Zell",
)
STREETS = (
    "Elm Street",
    "Kestrel Lane",
    "Old Mill Road",
    "Alder Street",
    "Fiddler's Green",
    "Quarry Road",
    "Commons Square",
    "Tannery Row",
    "Sawpit Lane",
    "North Bridge Street",
    "Heron Court",
    "Cider Press Road",
)
DOGS = ("Biscuit", "Juno", "Major", "Pepper", "Otis", "Clover", "Duke", "Maple", "Scout", "Tansy")
BREEDS = ("Beagle", "Collie mix", "Labrador", "Terrier", "Spaniel", "Shepherd", "Hound", "Poodle")
COLOURS = ("Black and tan", "Brown", "White", "Yellow", "Brindle", "Black")
TRADES = ("Bakery", "Shoe repair", "Hardware", "Barber shop", "Florist", "Bookshop", "Garage")
BUILDERS = ("Pike and Sons Builders", "Ridgeway Carpentry", "Quarry Road Masonry", "Zell Roofing")
WORKS = {
    "New construction": "Build one family house, two storeys, full cellar, asphalt shingle roof.",
    "Addition": "Add a kitchen of 12 by 16 feet at the rear on concrete piers.",
    "Alteration": "Remove wall between kitchen and pantry, set new beam on two posts.",
    "Repair": "Replace rotted porch floor and rails, renew three steps at the front.",
    "Demolition": "Take down the carriage shed behind the house and fill the cellar hole.",
}
PROBLEMS = {
    "Pothole": "Deep hole in the right lane, two feet across. A car lost its hub cap there.",
    "Street light": "The lamp on the corner has been out since last week and the walk is dark.",
    "Drainage": "Water stands in the gutter after every rain and runs into the cellar.",
    "Tree or brush": "A large limb hangs over the wires in front of the house.",
    "Refuse": "Barrels were not emptied on Tuesday. This is the second time this month.",
    "Other": "The stop sign is bent and can not be seen from the hill.",
}
COMMENTS = {
    "Roads and sidewalks": (
        "The walk in front of the school heaves so badly that a carriage can not pass.",
        "Quarry Road has not been plowed before nine o'clock once this winter.",
        "The new crossing by the bakery is well made and easy to see.",
    ),
    "Water and sewer": (
        "Our water was brown for three days and nobody at the office could say why.",
        "My bill came twice in one month. I paid it once.",
        "The men who fixed the main on Elm Street left the lawn as they found it.",
    ),
    "Parks and library": (
        "The new hours at the library suit working people well.",
        "Two swings at the Heron Court playground are broken.",
        "More benches by the river would be used by the older people.",
    ),
    "Police and fire": (
        "A crossing guard is needed on Tannery Row when school lets out.",
        "Cars go much too fast down the hill by the mill.",
        "The fire crew came in five minutes and saved our barn.",
    ),
    "Town Hall service": (
        "The clerk at the window was patient and kind with my mother.",
        "I waited forty minutes to pay a tax bill because one window was open.",
        "Please print the fees on the forms.",
    ),
    "Something else": (
        "Could the band concerts start at seven so that children can stay to hear the end?",
        "The clock on the Town Hall has been wrong since the spring.",
        "I would like to see the old mill opened to visitors.",
    ),
}
CLOSINGS = (
    "",
    "Thank you for reading this.",
    "Please send someone before the winter comes.",
    "I have lived here for thirty years and this is my first card.",
    "I would be glad to help if help is wanted.",
    "My neighbors say the same.",
)
MORE_WORK = (
    "",
    "Work will be done by the owner with hired help.",
    "No change to the size of the building.",
    "All new lumber to be spruce, painted white.",
    "Electrical work under a separate permit.",
)
MORE_PROBLEM = (
    "",
    "Caller asks to be told when it is done.",
    "Reported before, in the spring, with no result.",
    "It is worse after rain. Children walk past there to school.",
    "Best seen from the bridge side. The caller is at home in the mornings.",
)
SECTIONS = ("A", "B", "C", "D2", "E4")
TOWNS = ("Alder Falls", "Port Lorne", "Greater Sedge", "Mossbank", "Tern Harbor")
SCHOOLS = ("Alder Falls Grammar School", "Tannery Row School", "Pike and Sons Builders")
MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


@dataclass(frozen=True)
class Answer:
    """An answer as it is written on the paper and its normalised value."""

    written: str
    value: str


NO_ANSWER = Answer("", "")
Answers = dict[str, Answer]


@dataclass(frozen=True)
class Inventor:
    """Invents answers from a random generator, within one year and one style of dates."""

    rng: np.random.Generator
    year: int
    date_style: int

    def pick(self, items: Sequence[Item]) -> Item:
        """Choose one of the items."""
        return items[int(self.rng.integers(len(items)))]

    def text(self, items: Sequence[str]) -> Answer:
        """Choose one of the texts as an answer."""
        chosen = self.pick(items)
        return Answer(chosen, chosen)

    def name(self) -> Answer:
        """Invent a person's name."""
        middle = self.pick(("", "", f"{self.pick('ABCDEFHJLMRSTW')}. "))
        written = f"{self.pick(FIRST)} {middle}{self.pick(LAST)}"
        return Answer(written, written)

    def street(self) -> Answer:
        """Invent a street address."""
        written = f"{self.rng.integers(2, 240)} {self.pick(STREETS)}"
        return Answer(written, written)

    def phone(self) -> Answer:
        """Invent a telephone number of the kind kept for fiction."""
        last = f"01{self.rng.integers(0, 100):02d}"
        styles = (f"(555) 555-{last}", f"555-555-{last}", f"555.555.{last}", f"(555) 555-{last}")
        return Answer(self.pick(styles), f"(555) 555-{last}")

    def money(self, low: int, high: int, step: int = 1) -> Answer:
        """Invent an amount between two limits in whole dollars."""
        whole = int(self.rng.integers(low // step, high // step + 1)) * step
        cents = self.pick((0, 0, 0, 50)) if whole < 500 else 0
        styles = [f"${whole:,}.{cents:02d}", f"{whole:,}.{cents:02d}"]
        if cents == 0:
            styles.append(f"${whole:,}")
        return Answer(self.pick(styles), f"{whole}.{cents:02d}")

    def number(self, low: int, high: int) -> Answer:
        """Invent a whole number between two limits."""
        number = int(self.rng.integers(low, high + 1))
        return Answer(f"{number:,}", str(number))

    def day(self, months: tuple[int, int] = (1, 12)) -> date:
        """Invent a day of the year within the given months."""
        month = int(self.rng.integers(months[0], months[1] + 1))
        return date(self.year, month, int(self.rng.integers(1, 29)))

    def dated(self, day: date) -> Answer:
        """Write a day in this writer's style."""
        return Answer(write_date(day, self.date_style), day.isoformat())

    def code(self, written: str) -> Answer:
        """Return an identifier as an answer."""
        return Answer(written, written)

    def maybe(self, answer: Answer, share: float = 0.75) -> Answer:
        """Keep an answer in the given share of cases and leave it empty otherwise."""
        return answer if self.rng.random() < share else NO_ANSWER

    def tick(self, share: float = 0.5) -> Answer:
        """Tick a box in the given share of cases."""
        return Answer("yes", "yes") if self.rng.random() < share else Answer("no", "no")


SIGNED = Answer("signed", "signed")


def write_date(day: date, style: int) -> str:
    """Write a day in one of four American ways."""
    month = MONTHS[day.month - 1]
    return (
        f"{day.month:02d}/{day.day:02d}/{day.year}",
        f"{month} {day.day}, {day.year}",
        f"{day.day} {month[:3]} {day.year}",
        f"{day.month}-{day.day}-{day.year}",
    )[style % 4]


def _building_permit(i: Inventor) -> Answers:
    """Invent the answers of a building permit application."""
    applied = i.day((1, 10))
    kind = i.pick(tuple(WORKS))
    return {
        "permit_number": i.code(f"{i.year}-{i.rng.integers(1, 900):04d}"),
        "application_date": i.dated(applied),
        "site_address": i.street(),
        "map_lot": i.code(
            f"{i.rng.integers(2, 60)}-{i.rng.integers(1, 9)}-{i.rng.integers(1, 300)}"
        ),
        "owner_name": i.name(),
        "phone": i.phone(),
        "contractor": i.maybe(i.text(BUILDERS), 0.6),
        "work_type": i.code(kind),
        "description": i.code(f"{WORKS[kind]} {i.pick(MORE_WORK)}".strip()),
        "estimated_cost": i.money(800, 64000, 50),
        "floor_area": i.maybe(i.number(60, 2400)),
        "plans_attached": i.tick(0.7),
        "applicant_signature": SIGNED,
        "fee": i.money(25, 320, 5),
        "inspector": i.name(),
        "approval_date": i.dated(applied + timedelta(days=int(i.rng.integers(5, 50)))),
        "inspector_signature": SIGNED,
    }


def _business_licence(i: Inventor) -> Answers:
    """Invent the answers of a business licence application."""
    owner = i.name()
    trade = i.pick(TRADES)
    signed = i.day((1, 11))
    return {
        "business_name": i.code(f"{owner.written.split()[-1]}'s {trade}"),
        "business_address": i.street(),
        "owner_name": owner,
        "phone": i.phone(),
        "opening_date": i.dated(signed + timedelta(days=int(i.rng.integers(7, 40)))),
        "business_kind": i.code(trade),
        "employees": i.maybe(i.number(1, 24)),
        "ownership": i.text(("Sole owner", "Partnership", "Corporation", "Non-profit")),
        "outdoor_sign": i.tick(),
        "food_service": i.tick(0.3),
        "signature": SIGNED,
        "date_signed": i.dated(signed),
        "licence_number": i.code(f"BL-{i.year}-{i.rng.integers(1, 400):04d}"),
        "fee": i.money(25, 150, 5),
    }


def _dog_licence(i: Inventor) -> Answers:
    """Invent the answers of a dog licence application."""
    issued = i.day((2, 5))
    return {
        "tag_number": Answer(*[str(i.rng.integers(1, 980))] * 2),
        "owner_name": i.name(),
        "address": i.street(),
        "phone": i.phone(),
        "dog_name": i.text(DOGS),
        "breed": i.text(BREEDS),
        "colour": i.maybe(i.text(COLOURS), 0.85),
        "sex": i.text(("Male", "Neutered male", "Female", "Spayed female")),
        "veterinarian": i.maybe(i.code(f"Dr. {i.pick(LAST)}")),
        "rabies_expires": i.dated(issued + timedelta(days=int(i.rng.integers(100, 900)))),
        "renewal": i.tick(0.6),
        "owner_signature": SIGNED,
        "fee": i.money(6, 20),
        "date_issued": i.dated(issued),
    }


def _comment_card(i: Inventor) -> Answers:
    """Invent the answers of a comment card."""
    topic = i.pick(tuple(COMMENTS))
    named = i.rng.random() < 0.8
    return {
        "comment_type": i.text(("Complaint", "Suggestion", "Compliment")),
        "topic": i.code(topic),
        "comment": i.code(f"{i.pick(COMMENTS[topic])} {i.pick(CLOSINGS)}".strip()),
        "name": i.name() if named else NO_ANSWER,
        "address": i.street() if named else NO_ANSWER,
        "phone": i.maybe(i.phone(), 0.7) if named else NO_ANSWER,
        "date": i.dated(i.day()),
        "call_back": i.tick(0.4) if named else Answer("no", "no"),
        "may_publish": i.tick(0.5),
    }


def _burial_record(i: Inventor) -> Answers:
    """Invent the answers of a record of interment."""
    died = i.day()
    late = i.name()
    names, kin = i.pick(((WOMEN, ("daughter", "sister")), (MEN, ("son", "brother"))))
    relative = f"{i.pick(names)} {late.written.split()[-1]}, {i.pick(kin)}"
    plot = f"{i.pick(SECTIONS)}-{i.rng.integers(1, 180)}-{i.rng.integers(1, 6)}"
    return {
        "register_number": i.code(f"{i.pick('ABC')}-{i.rng.integers(100, 9000)}"),
        "plot": i.code(plot),
        "deceased_name": late,
        "date_of_death": i.dated(died),
        "date_of_burial": i.dated(died + timedelta(days=int(i.rng.integers(2, 6)))),
        "age": i.number(34, 97),
        "place_of_birth": i.text(TOWNS),
        "residence": i.street(),
        "funeral_director": i.maybe(i.code(f"{i.pick(LAST)} Funeral Home")),
        "charges": i.money(35, 240, 5),
        "next_of_kin": i.code(relative),
        "burial_kind": i.text(("Casket", "Casket", "Cremated remains", "Removal")),
        "perpetual_care": i.tick(),
        "superintendent_signature": SIGNED,
    }


def _service_request(i: Inventor) -> Answers:
    """Invent the answers of a service request."""
    received = i.day((1, 11))
    problem = i.pick(tuple(PROBLEMS))
    done = i.rng.random() < 0.7
    finished = i.dated(received + timedelta(days=int(i.rng.integers(1, 25))))
    return {
        "request_number": i.code(f"SR-{i.rng.integers(100, 9900):05d}"),
        "date_received": i.dated(received),
        "priority": i.text(("Routine", "Routine", "Urgent")),
        "requester_name": i.name(),
        "phone": i.phone(),
        "location": i.street(),
        "problem": i.code(problem),
        "details": i.code(f"{PROBLEMS[problem]} {i.pick(MORE_PROBLEM)}".strip()),
        "assigned_to": i.code(f"Crew {i.rng.integers(1, 6)}, {i.pick(LAST)}"),
        "date_completed": finished if done else NO_ANSWER,
        "labour_hours": i.number(1, 30) if done else NO_ANSWER,
        "material_cost": i.money(10, 900) if done else NO_ANSWER,
        "caller_notified": i.tick(0.8) if done else Answer("no", "no"),
        "foreman_signature": SIGNED if done else NO_ANSWER,
    }


def _library_card(i: Inventor) -> Answers:
    """Invent the answers of a library card application."""
    return {
        "name": i.name(),
        "address": i.street(),
        "phone": i.phone(),
        "birth_date": i.dated(i.day().replace(year=i.year - 20)),
        "school": i.text(SCHOOLS),
        "reader": i.text(("Adult", "Child", "Teacher")),
        "signature": SIGNED,
        "card_number": i.code(f"{i.rng.integers(1000, 9999)}"),
    }


ANSWERS: dict[str, Callable[[Inventor], Answers]] = {
    "building-permit": _building_permit,
    "business-licence": _business_licence,
    "dog-licence": _dog_licence,
    "comment-card": _comment_card,
    "burial-record": _burial_record,
    "service-request": _service_request,
    "library-card": _library_card,
}
