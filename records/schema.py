"""The shape of the database: append-only migrations, oldest first."""

from __future__ import annotations

from sqlite_utils import Database, Migrations

migrations = Migrations("digitize")


def _run(db: Database, script: str) -> None:
    """Run statements one by one, inside the migration's own transaction.

    ``executescript`` would commit first, and a half-made schema could be left behind.
    """
    for statement in script.split("\n\n"):
        if statement.strip():
            db.execute(statement)


@migrations()
def m001_the_first_tables(db: Database) -> None:
    _run(
        db,
        """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID

INSERT INTO meta VALUES ('store_id', lower(hex(randomblob(16)))), ('revision', '0')

CREATE TABLE departments (
    name TEXT PRIMARY KEY,
    title TEXT NOT NULL,
    shared INTEGER NOT NULL CHECK (shared IN (0, 1))
) WITHOUT ROWID

CREATE TABLE people (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE COLLATE NOCASE,
    role TEXT NOT NULL
        CHECK (role IN ('viewer', 'clerk', 'verifier', 'records-officer', 'administrator')),
    password_hash TEXT NOT NULL,
    disabled INTEGER NOT NULL DEFAULT 0,
    created_at TEXT NOT NULL
)

CREATE TABLE memberships (
    person_id INTEGER NOT NULL REFERENCES people(id),
    department TEXT NOT NULL REFERENCES departments(name),
    PRIMARY KEY (person_id, department)
) WITHOUT ROWID

CREATE TABLE sessions (
    token_hash TEXT PRIMARY KEY,
    person_id INTEGER REFERENCES people(id),
    data TEXT NOT NULL,
    expires_at REAL NOT NULL
) WITHOUT ROWID

CREATE INDEX sessions_person ON sessions(person_id)

CREATE TABLE failed_sign_ins (
    name TEXT NOT NULL COLLATE NOCASE,
    address TEXT NOT NULL,
    at REAL NOT NULL
)

CREATE INDEX failed_sign_ins_at ON failed_sign_ins(at)

CREATE TABLE batches (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    created_at TEXT NOT NULL,
    created_by TEXT NOT NULL
)

CREATE TABLE originals (
    sha256 TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    size INTEGER NOT NULL CHECK (size > 0),
    media_type TEXT NOT NULL,
    form TEXT,
    department TEXT REFERENCES departments(name),
    page_count INTEGER,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'read', 'failed')),
    failure TEXT,
    tries INTEGER NOT NULL DEFAULT 0,
    run TEXT,
    accepted_at TEXT NOT NULL
) WITHOUT ROWID

CREATE INDEX originals_waiting ON originals(state) WHERE state != 'read'

CREATE TABLE documents (
    id INTEGER PRIMARY KEY,
    sha256 TEXT NOT NULL REFERENCES originals(sha256),
    part INTEGER NOT NULL,
    batch_id INTEGER NOT NULL REFERENCES batches(id),
    department TEXT NOT NULL REFERENCES departments(name),
    form TEXT,
    title TEXT NOT NULL,
    date TEXT,
    status TEXT NOT NULL CHECK (status IN ('waiting', 'needs-review', 'filed', 'failed')),
    reasons TEXT NOT NULL DEFAULT '[]',
    version INTEGER NOT NULL,
    rev INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    UNIQUE (sha256, part)
)

CREATE UNIQUE INDEX documents_rev ON documents(rev)

CREATE INDEX documents_batch ON documents(batch_id)

CREATE INDEX documents_status ON documents(status)

CREATE TABLE pages (
    id INTEGER PRIMARY KEY,
    sha256 TEXT NOT NULL REFERENCES originals(sha256),
    number INTEGER NOT NULL CHECK (number > 0),
    document_id INTEGER NOT NULL REFERENCES documents(id),
    position INTEGER NOT NULL,
    key TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('read', 'failed')),
    kind TEXT NOT NULL,
    image TEXT,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    dpi INTEGER NOT NULL,
    geometry TEXT NOT NULL,
    steps TEXT NOT NULL,
    blank INTEGER NOT NULL,
    separator INTEGER NOT NULL,
    confidence REAL NOT NULL,
    form TEXT,
    form_page INTEGER NOT NULL,
    words TEXT NOT NULL,
    fields TEXT NOT NULL,
    reader TEXT NOT NULL,
    languages TEXT NOT NULL,
    exit_code INTEGER NOT NULL,
    seconds REAL NOT NULL,
    failure TEXT,
    read_at TEXT NOT NULL,
    UNIQUE (sha256, number)
)

CREATE INDEX pages_document ON pages(document_id, position)

CREATE INDEX pages_image ON pages(image)

CREATE TABLE fields (
    document_id INTEGER NOT NULL REFERENCES documents(id),
    name TEXT NOT NULL,
    position INTEGER NOT NULL,
    label TEXT NOT NULL,
    kind TEXT NOT NULL,
    raw TEXT NOT NULL,
    value TEXT NOT NULL,
    confidence REAL NOT NULL,
    page INTEGER NOT NULL,
    box TEXT,
    status TEXT NOT NULL
        CHECK (status IN ('ok', 'missing', 'unsure', 'invalid', 'corrected')),
    reasons TEXT NOT NULL,
    reader TEXT NOT NULL,
    PRIMARY KEY (document_id, name)
) WITHOUT ROWID

CREATE INDEX fields_name ON fields(name, value)

CREATE TABLE events (
    id INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    actor TEXT NOT NULL,
    kind TEXT NOT NULL,
    sha256 TEXT REFERENCES originals(sha256),
    batch_id INTEGER REFERENCES batches(id),
    detail TEXT NOT NULL
)

CREATE INDEX events_sha256 ON events(sha256)

CREATE INDEX events_batch ON events(batch_id)

CREATE TABLE audit (
    id INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    document_id INTEGER REFERENCES documents(id),
    version INTEGER,
    change TEXT NOT NULL,
    field_values TEXT NOT NULL,
    previous TEXT NOT NULL,
    hash TEXT NOT NULL UNIQUE
)

CREATE INDEX audit_document ON audit(document_id)

CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END

CREATE TRIGGER audit_is_not_replaced BEFORE INSERT ON audit
WHEN NEW.id > 0 AND NEW.id <= (SELECT max(id) FROM audit)
BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END

CREATE TRIGGER audit_is_not_deleted BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END
""",
    )


@migrations()
def m002_templates_and_pairs(db: Database) -> None:
    """Forms in versions, where a field was found, and labels with answers on other paper."""
    _run(
        db,
        """
CREATE TABLE templates (
    digest TEXT PRIMARY KEY,
    form TEXT NOT NULL,
    printing TEXT NOT NULL,
    text TEXT NOT NULL,
    first_used_at TEXT NOT NULL
) WITHOUT ROWID

ALTER TABLE pages ADD COLUMN template TEXT NOT NULL DEFAULT ''

ALTER TABLE pages ADD COLUMN pairs TEXT NOT NULL DEFAULT '[]'

ALTER TABLE fields ADD COLUMN found_by TEXT NOT NULL DEFAULT ''
""",
    )


@migrations()
def m003_the_desk(db: Database) -> None:
    """What waits for a person to look at, and what people have decided."""
    _run(
        db,
        """
CREATE TABLE checks (
    document_id INTEGER NOT NULL REFERENCES documents(id),
    name TEXT NOT NULL,
    position INTEGER NOT NULL,
    label TEXT NOT NULL,
    form TEXT NOT NULL,
    department TEXT NOT NULL,
    batch_id INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('look', 'sample', 'second', 'third', 'senior')),
    reason TEXT NOT NULL,
    value TEXT NOT NULL,
    twice INTEGER NOT NULL DEFAULT 0,
    sampled INTEGER NOT NULL DEFAULT 0,
    keyed TEXT NOT NULL DEFAULT '',
    note TEXT NOT NULL DEFAULT '',
    seen TEXT NOT NULL DEFAULT '[]',
    held_by TEXT,
    held_until REAL NOT NULL DEFAULT 0,
    PRIMARY KEY (document_id, name)
) WITHOUT ROWID

CREATE INDEX checks_column ON checks(form, name, kind, value)

CREATE INDEX checks_counted
    ON checks(kind, form, name, reason, department, batch_id, position, label, seen, twice)

CREATE INDEX checks_held ON checks(held_by) WHERE held_by IS NOT NULL

CREATE TABLE decisions (
    id INTEGER PRIMARY KEY,
    document_id INTEGER NOT NULL REFERENCES documents(id),
    name TEXT NOT NULL,
    form TEXT NOT NULL,
    kind TEXT NOT NULL,
    reason TEXT NOT NULL,
    at TEXT NOT NULL,
    person TEXT NOT NULL,
    verdict TEXT NOT NULL
        CHECK (verdict IN ('confirmed', 'changed', 'agreed', 'differs', 'passed on')),
    old TEXT NOT NULL,
    new TEXT NOT NULL,
    way TEXT NOT NULL,
    seconds REAL NOT NULL,
    sampled INTEGER NOT NULL,
    before TEXT NOT NULL,
    after TEXT NOT NULL,
    taken_back_at TEXT
)

CREATE INDEX decisions_person ON decisions(person, id)

CREATE TABLE saved_searches (
    person_id INTEGER NOT NULL REFERENCES people(id),
    name TEXT NOT NULL,
    address TEXT NOT NULL,
    saved_at TEXT NOT NULL,
    PRIMARY KEY (person_id, name)
) WITHOUT ROWID

CREATE TABLE hints_seen (
    person_id INTEGER NOT NULL REFERENCES people(id),
    hint TEXT NOT NULL,
    PRIMARY KEY (person_id, hint)
) WITHOUT ROWID

CREATE INDEX decisions_field ON decisions(document_id, name)

CREATE INDEX decisions_sample ON decisions(form, verdict) WHERE sampled

INSERT INTO checks (document_id, name, position, label, form, department, batch_id, kind, reason,
    value)
SELECT f.document_id, f.name, f.position, f.label, d.form, d.department, d.batch_id, 'look',
    CASE WHEN f.status = 'missing' THEN 'missing' WHEN f.status = 'invalid' THEN 'breaks a rule'
    WHEN f.reasons LIKE '%readers disagree%' THEN 'readers disagree' ELSE 'unsure' END, f.value
FROM fields f JOIN documents d ON d.id = f.document_id
WHERE f.status IN ('missing', 'unsure', 'invalid') AND d.form IS NOT NULL
""",
    )


@migrations()
def m004_corrected_text(db: Database) -> None:
    """What people say that a page reads, and the notes and tags that they put on records."""
    _run(
        db,
        """
CREATE TABLE text_corrections (
    id INTEGER PRIMARY KEY,
    sha256 TEXT NOT NULL REFERENCES originals(sha256),
    page INTEGER NOT NULL CHECK (page > 0),
    places TEXT NOT NULL,
    was TEXT NOT NULL,
    text TEXT NOT NULL,
    person TEXT NOT NULL,
    at TEXT NOT NULL,
    taken_back_by TEXT,
    taken_back_at TEXT
)

CREATE INDEX text_corrections_page ON text_corrections(sha256, page) WHERE taken_back_at IS NULL

CREATE TABLE notes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    document_id INTEGER NOT NULL REFERENCES documents(id),
    text TEXT NOT NULL,
    person TEXT NOT NULL,
    at TEXT NOT NULL
)

CREATE INDEX notes_document ON notes(document_id)

CREATE TABLE tags (
    document_id INTEGER NOT NULL REFERENCES documents(id),
    tag TEXT NOT NULL,
    person TEXT NOT NULL,
    at TEXT NOT NULL,
    PRIMARY KEY (document_id, tag)
) WITHOUT ROWID

CREATE INDEX tags_tag ON tags(tag)
""",
    )


@migrations()
def m005_arranged_pages(db: Database) -> None:
    """Records whose pages people have put in order, and pages on their way into a record."""
    _run(
        db,
        """
ALTER TABLE pages ADD COLUMN arranged INTEGER NOT NULL DEFAULT 0

ALTER TABLE pages ADD COLUMN turned INTEGER

ALTER TABLE pages ADD COLUMN said TEXT NOT NULL DEFAULT '[]'

ALTER TABLE pages ADD COLUMN waits TEXT NOT NULL DEFAULT '[]'

CREATE TABLE arrangements (
    id INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    person TEXT NOT NULL,
    what TEXT NOT NULL,
    before TEXT NOT NULL,
    held TEXT NOT NULL,
    versions TEXT NOT NULL,
    waiting TEXT NOT NULL,
    taken_back_at TEXT
)

CREATE TABLE arrangement_records (
    document_id INTEGER NOT NULL REFERENCES documents(id),
    arrangement_id INTEGER NOT NULL REFERENCES arrangements(id),
    PRIMARY KEY (document_id, arrangement_id)
) WITHOUT ROWID

CREATE TABLE arrivals (
    sha256 TEXT PRIMARY KEY REFERENCES originals(sha256),
    document_id INTEGER NOT NULL REFERENCES documents(id),
    place INTEGER NOT NULL,
    replaces TEXT NOT NULL,
    person TEXT NOT NULL,
    asked_at TEXT NOT NULL
) WITHOUT ROWID

CREATE INDEX arrivals_record ON arrivals(document_id)
""",
    )


@migrations()
def m006_checks_in_order(db: Database) -> None:
    """What waits is given out in the order of records, without sorting all of it first."""
    _run(
        db,
        """
CREATE INDEX checks_in_order ON checks(document_id, position)

CREATE INDEX checks_down_records ON checks(form, name, document_id)
""",
    )


@migrations()
def m007_keys_of_decisions(db: Database) -> None:
    """What names a decision, or all those of one group, before the server has answered."""
    _run(
        db,
        """
ALTER TABLE decisions ADD COLUMN key TEXT NOT NULL DEFAULT ''

UPDATE decisions SET key = 'id-' || id

CREATE INDEX decisions_key ON decisions(person, key)
""",
    )
