"""The Whoosh engine: the only module that knows Whoosh.

Whoosh keeps the postings and the columns. It is not asked to parse, to match or to choose its
own table of contents: queries are evaluated by ``search.evaluate``, and the table of contents to
read is the one that a verified manifest names, for Whoosh unpickles what it reads.
"""

# mypy: allow-untyped-calls
from __future__ import annotations

import contextlib
import io
import mmap
import pickle
import shutil
import threading
import zlib
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any

import numpy as np
from whoosh import columns as whoosh_columns
from whoosh import fields, formats, versionstring
from whoosh.codec.whoosh3 import WHOOSH3_HEADER_MAGIC, W3Segment
from whoosh.filedb.compound import SubFile
from whoosh.filedb.filestore import FileStorage
from whoosh.filedb.structfile import StructFile
from whoosh.index import TOC, FileIndex
from whoosh.reading import SegmentReader, TermNotFound
from whoosh.writing import SegmentWriter

from records.model import IndexedDocument
from search.answer import answer, completions
from search.arrays import Ints, Mask, joined
from search.evaluate import AREAS, PLACE_BITS
from search.generations import (
    MANIFEST,
    BrokenIndexError,
    FileMark,
    Manifest,
    mark_file,
    read_manifest,
    write_manifest,
    wrong_files,
)
from search.index import Answer, Beginning, Request
from search.pages import PageEntry, pages_of
from search.ranking import AreaLengths, Counted
from search.sightings import NOWHERE, Memory, Sightings, Vocabulary, sightings
from search.table import PageTable, columns

SCHEMA_VERSION = 3  # raise it when what is put into the index changes
ENGINE = f"whoosh {versionstring()}"
MERGE_AT = 8  # segments of about one size become one
MOST_PLACES = 0xFFFF  # words beyond this many on one page count as standing in the last place
_NAME = "MAIN"
_REMEMBERED_BYTES = 64_000_000  # of postings, by one open index
_INT_SIZE = 4
_PAGES_OF_TERM = slice(5, 9)  # in what Whoosh keeps of a term: a flag, its weight, its pages
_TRIES = 5


def create(folder: Path, store_id: str) -> WhooshIndex:
    """Make an empty index in a folder that does not exist yet."""
    folder.mkdir(parents=True)
    FileIndex.create(FileStorage(str(folder)), _schema(), _NAME)
    _seal(folder, store_id, revision=0, commit=0, names=[TOC._filename(_NAME, 0)], known={})
    return WhooshIndex(folder, store_id)


def open_index(folder: Path, store_id: str) -> WhooshIndex:
    """Open an index whose files are proved whole, or raise BrokenIndexError."""
    return WhooshIndex(folder, store_id)


class WhooshIndex:
    """One generation of an index; see ``search.index.Index``."""

    def __init__(self, folder: Path, store_id: str) -> None:
        self._folder = folder
        self._store_id = store_id
        self._storage = _Storage(str(folder))
        self._memory = Memory(_REMEMBERED_BYTES)
        self._loading = threading.RLock()
        self._stamp: tuple[int, ...] = ()
        self._snapshot = self._load({}, {})

    @property
    def revision(self) -> int:
        return self._fresh().manifest.revision

    def search(self, request: Request) -> Answer:
        snapshot = self._fresh()
        with _told_when_cut_short():
            return answer(snapshot, snapshot.table, request)

    def completions(self, beginning: Beginning) -> tuple[str, ...]:
        snapshot = self._fresh()
        with _told_when_cut_short():
            return completions(snapshot, snapshot.table, beginning)

    def prepare(self) -> None:
        for part in self._fresh().parts.values():
            for area in AREAS:
                part.vocabulary(area)

    def close(self) -> None:
        """Let go of the files; a search that is under way may still finish."""
        self._snapshot.parts.clear()

    def update(self, documents: Sequence[IndexedDocument], revision: int) -> None:
        with self._loading:
            snapshot = self._fresh()
            self._delete_leftovers(snapshot.manifest)
            writer = _Writer(_PinnedIndex(self._storage, snapshot.manifest.commit), _lk=False)
            try:
                for page in snapshot.table.pages_of({document.id for document in documents}):
                    writer.delete_document(int(page))
                for document in documents:
                    for new in pages_of(document):
                        writer.add_document(facts=new.entry.to_bytes(), **new.areas)
            except BaseException:
                writer.cancel()
                raise
            writer.commit(mergetype=_merge_alike)
            names = [TOC._filename(_NAME, writer.generation)]
            for segment in writer.committed:
                names += segment.list_files(self._storage)
            manifest = _seal(
                self._folder,
                self._store_id,
                revision,
                writer.generation,
                names,
                snapshot.manifest.files,
            )
            self._delete_leftovers(manifest)
            self._snapshot = self._load(snapshot.parts, manifest.files)

    def _fresh(self) -> _Snapshot:
        """Return the snapshot of the last commit, by whichever process."""
        if self._stamp_now() != self._stamp:
            with self._loading:
                if self._stamp_now() != self._stamp:
                    known = self._snapshot
                    self._snapshot = self._load(known.parts, known.manifest.files)
        return self._snapshot

    def _stamp_now(self) -> tuple[int, ...]:
        try:
            status = (self._folder / MANIFEST).stat()
        except OSError:
            return ()
        return (status.st_ino, status.st_mtime_ns, status.st_size)

    def _load(self, parts: Mapping[str, _Part], proved: Mapping[str, FileMark]) -> _Snapshot:
        """Read the last commit; ``proved`` are files that were found whole before.

        A commit by another process deletes files between our reading the manifest and opening
        them; then its new manifest is there to be read.
        """
        for tries in range(_TRIES, 0, -1):
            stamp = self._stamp_now()
            manifest = read_manifest(self._folder)
            try:
                snapshot = self._open(manifest, parts, proved)
            except (BrokenIndexError, FileNotFoundError):
                if tries == 1 or self._stamp_now() == stamp:
                    raise
            else:
                self._stamp = stamp
                return snapshot
        raise AssertionError("not reached")

    def _open(
        self, manifest: Manifest, parts: Mapping[str, _Part], proved: Mapping[str, FileMark]
    ) -> _Snapshot:
        if manifest.schema != SCHEMA_VERSION or manifest.engine != ENGINE:
            raise BrokenIndexError("The search index was made by another version.")
        if manifest.store_id != self._store_id:
            raise BrokenIndexError("The search index belongs to another archive.")
        unproved = [name for name, mark in manifest.files.items() if proved.get(name) != mark]
        if faults := wrong_files(self._folder, manifest.files, unproved):
            raise BrokenIndexError(faults[0])
        toc = TOC.read(self._storage, _NAME, gen=manifest.commit, schema=_schema())
        opened = {}
        for segment in toc.segments:
            name = segment.segment_id()
            opened[name] = parts.get(name) or _Part(self._storage, segment, self._memory)
        deleted = [set(segment.deleted_docs()) for segment in toc.segments]
        return _Snapshot(manifest, opened, deleted)

    def _delete_leftovers(self, manifest: Manifest) -> None:
        """Delete what is no part of the index: old segments, or what a killed process left."""
        for path in self._folder.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            elif path.name != MANIFEST and path.name not in manifest.files:
                path.unlink(missing_ok=True)


def _blocks(file: Any, begin: int) -> Iterator[tuple[Sequence[int], Any, Sequence[bytes]]]:
    """Yield the blocks of a term's postings: gaps between pages, weights, and places by page.

    Whoosh's own reader gives them a page at a time, and takes twice the time for it.
    """
    place, last = begin + len(WHOOSH3_HEADER_MAGIC), False
    while not last:
        size = file.get_int(place)
        last = size < 0
        block = io.BytesIO(file.get(place + _INT_SIZE, abs(size)))
        _, _, _, compressed, _, _ = pickle.load(block)
        data = block.read()
        yield pickle.loads(zlib.decompress(data) if compressed else data)
        place += _INT_SIZE + abs(size)


@contextlib.contextmanager
def _told_when_cut_short() -> Iterator[None]:
    """Tell a file that was changed while it is open."""
    try:
        yield
    except EOFError as error:
        raise BrokenIndexError("A file of the search index was cut short.") from error


class _Part:
    """One segment, which never changes; its deleted pages are the snapshot's business.

    Threads share it: what it asks of Whoosh after its start reads at a place that is named, by
    ``_Mapped.get``, and never at one that another thread may move.
    """

    def __init__(self, storage: FileStorage, segment: Any, memory: Memory) -> None:
        self._reader = SegmentReader(storage, _schema(), segment)
        self._terms: Any = self._reader._terms
        self._name: str = segment.segment_id()
        self._memory = memory
        self._vocabularies: dict[str, Vocabulary] = {}
        self.size: int = segment.doc_count_all()
        facts = self._reader.column_reader("facts")
        self.columns = columns(PageEntry.from_bytes(bytes(facts[p])) for p in range(self.size))
        self.words = {area: self._lengths(area) for area in AREAS}

    def sightings(self, area: str, term: str) -> Sightings:
        """Return where a term stands in this segment."""
        key = self._name, area, term
        return self._memory.get(key, lambda: self._read(area, term.encode()))

    def vocabulary(self, area: str) -> Vocabulary:
        """Return the terms of an area; the first time takes about a second for a million."""
        if area not in self._vocabularies:
            self._vocabularies[area] = self._read_vocabulary(area)
        return self._vocabularies[area]

    def _read(self, area: str, term: bytes) -> Sightings:
        try:
            begin, _ = self._terms.term_info(area, term).extent()
        except TermNotFound:
            return NOWHERE
        blocks = list(_blocks(self._terms._postfile, begin))
        pages = joined([np.cumsum(gaps) for gaps, _, _ in blocks])  # each block counts from 0
        return sightings(pages, [places for _, _, each in blocks for places in each])

    def _read_vocabulary(self, area: str) -> Vocabulary:
        terms: list[bytes] = []
        pages: list[bytes] = []
        if area in self._terms.indexed_field_names():
            begin = self._terms._keycoder(area, b"")
            for key, told in self._terms._tindex.items_from(begin):
                if not key.startswith(begin):
                    break
                terms.append(key[len(begin) :])
                pages.append(told[_PAGES_OF_TERM])
        counts = np.frombuffer(b"".join(pages), ">u4").astype(np.uint32)
        return Vocabulary(terms, counts)

    def _lengths(self, area: str) -> Ints:
        length = self._reader.doc_field_length
        return np.fromiter((length(p, area) or 0 for p in range(self.size)), np.int64, self.size)


class _Snapshot:
    """The index as of one commit: ``search.evaluate.Postings`` over its segments."""

    def __init__(
        self, manifest: Manifest, parts: dict[str, _Part], deleted: Sequence[AbstractSet[int]]
    ) -> None:
        self.manifest = manifest
        self.parts = parts
        self._offsets: list[tuple[_Part, int]] = []
        size = 0
        for part in parts.values():
            self._offsets.append((part, size))
            size += part.size
        alive = np.ones(size, bool)
        for (_, offset), gone in zip(self._offsets, deleted, strict=True):
            alive[[page + offset for page in gone]] = False
        self.table = PageTable([part.columns for part in parts.values()], alive)
        self._lengths = {area: self._area_lengths(area) for area in AREAS}

    @property
    def record_of(self) -> Ints:
        return self.table.record_of

    def counts(self, area: str, term: str) -> Counted:
        pages, counts = [], []
        for part, offset in self._offsets:
            seen = part.sightings(area, term)
            if len(seen.pages):
                pages.append(seen.pages + np.int64(offset))
                counts.append(np.diff(seen.starts))
        return Counted(joined(pages), joined(counts).astype(np.float64))

    def keys(self, area: str, term: str, wanted: Mask) -> Ints:
        found = []
        for part, offset in self._offsets:
            here = wanted[offset : offset + part.size]
            found.append(part.sightings(area, term).keys(here, offset, PLACE_BITS))
        return joined(found)

    def spread(self, area: str, terms: Sequence[str]) -> Ints:
        hashes = np.fromiter((hash(term.encode()) for term in terms), np.int64, len(terms))
        order = np.argsort(hashes)  # looked up far faster in this order
        pages = np.zeros(len(terms), np.int64)
        for part, _ in self._offsets:
            pages[order] += part.vocabulary(area).spread(hashes[order])
        return pages

    def completions(self, area: str, prefix: str) -> list[str]:
        terms: set[bytes] = set()
        for part, _ in self._offsets:
            terms.update(term for term, _ in part.vocabulary(area).beginning(prefix.encode()))
        return sorted(term.decode() for term in terms)

    def commonest(self, area: str, prefix: str, most: int) -> dict[str, int]:
        pages: Counter[str] = Counter()
        for part, _ in self._offsets:
            for term, count in part.vocabulary(area).beginning(prefix.encode(), most):
                pages[term.decode()] += count
        return dict(pages.most_common(most))

    def lengths(self, area: str) -> AreaLengths:
        return self._lengths[area]

    def with_day(self, field: str, low: str | None, high: str | None) -> Ints:
        return self.table.with_day(field, low, high)

    def with_amount(self, field: str, low: float | None, high: float | None) -> Ints:
        return self.table.with_amount(field, low, high)

    def _area_lengths(self, area: str) -> AreaLengths:
        words = joined([part.words[area] for part, _ in self._offsets])
        filled = np.count_nonzero(words)
        return AreaLengths(words, float(words.sum() / filled) if filled else 1.0)


class _Places(formats.Positions):
    """Keep the places of a word as two bytes each (Whoosh's own format pickles each list)."""

    def word_values(
        self, value: Any, analyzer: Any, **kwargs: Any
    ) -> Iterable[tuple[bytes, int, float, bytes]]:
        places: dict[str, list[int]] = defaultdict(list)
        for place, word in value:
            places[word].append(min(place, MOST_PLACES))
        for word, where in places.items():
            yield word.encode(), len(where), float(len(where)), array("H", where).tobytes()


class _Words(fields.FieldType):
    """A field that is given its words, with their places, ready cut."""

    def __init__(self) -> None:
        no_analyzer: Any = None
        super().__init__(format=_Places(), analyzer=no_analyzer, scorable=True)

    def index(self, value: Any, **kwargs: Any) -> Any:
        assert self.format is not None
        return self.format.word_values(value, None)


class _Storage(FileStorage):
    """Files that are mapped into memory: Whoosh's own way of mapping copies each file whole."""

    def __init__(self, folder: str) -> None:
        super().__init__(folder, supports_mmap=False)

    def open_file(self, name: str, **kwargs: Any) -> Any:
        if not name.endswith(W3Segment.COMPOUND_EXT):
            return super().open_file(name, **kwargs)
        with Path(self.folder, name).open("rb") as file:
            whole = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        return _Mapped(whole, 0, len(whole), name)


class _Mapped(StructFile):
    """A stretch of a mapped file."""

    def __init__(self, whole: mmap.mmap, offset: int, length: int, name: str) -> None:
        stretch: Any = SubFile(whole, offset, length)
        super().__init__(stretch, name=name)
        self._whole = whole
        self._offset = offset

    def subset(self, offset: int, length: int, name: str | None = None) -> Any:
        return _Mapped(self._whole, self._offset + offset, length, name or "")

    def get(self, position: int, length: int) -> bytes:
        begin = self._offset + position
        return self._whole[begin : begin + length]


class _PinnedIndex(FileIndex):
    """An index that reads the table of contents it is told to, not the newest that lies there."""

    def __init__(self, storage: FileStorage, commit: int) -> None:
        self.storage = storage
        self.indexname = _NAME
        self._schema = _schema()
        self._commit = commit

    def _read_toc(self) -> Any:
        return TOC.read(self.storage, self.indexname, gen=self._commit, schema=self._schema)


class _Writer(SegmentWriter):
    """A writer that leaves the last commit's files alone, until the manifest names the new ones."""

    committed: Sequence[Any] = ()

    def _commit_toc(self, segments: Sequence[Any]) -> None:
        TOC(self.schema, segments, self.generation).write(self.storage, self.indexname)
        self.committed = segments


def _merge_alike(writer: Any, segments: Sequence[Any]) -> list[Any]:
    """Merge segments of about one size once there are enough, and those mostly deleted.

    Sizes are classed by powers of MERGE_AT, so a page is merged about once for each power, and
    there are never more than about MERGE_AT segments of a class.
    """
    classes: dict[int, list[Any]] = defaultdict(list)
    merging = []
    for segment in segments:
        alive = segment.doc_count()
        if alive * 2 < segment.doc_count_all():
            merging.append(segment)
        else:
            classes[_size_class(alive)].append(segment)
    for alike in classes.values():
        if len(alike) >= MERGE_AT:
            merging += alike
    for segment in merging:
        reader = SegmentReader(writer.storage, writer.schema, segment)
        with contextlib.closing(reader):
            if segment.doc_count():
                writer.add_reader(reader)
    return [segment for segment in segments if segment not in merging]


def _size_class(pages: int) -> int:
    size = 0
    while pages >= MERGE_AT:
        pages //= MERGE_AT
        size += 1
    return size


def _seal(
    folder: Path,
    store_id: str,
    revision: int,
    commit: int,
    names: Iterable[str],
    known: Mapping[str, FileMark],
) -> Manifest:
    """Make the named files durable, and then the manifest that says they are the index."""
    files = {name: known.get(name) or mark_file(folder / name) for name in names}
    manifest = Manifest(SCHEMA_VERSION, ENGINE, store_id, revision, commit, files)
    write_manifest(folder, manifest)
    return manifest


def _schema() -> Any:
    areas = {area: _Words() for area in AREAS}
    return fields.Schema(facts=fields.COLUMN(whoosh_columns.VarBytesColumn()), **areas)
