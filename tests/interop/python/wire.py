"""FlatBuffers in and out: `build` and `parse` finished buffers on the classes of flatc.

Field names are the schema's. A parsed buffer is a tree of `Record`: `record.table` is the name of
its table, byte vectors are `bytes`, absent fields are None. Malformed buffers raise `Malformed`.
"""

import importlib
import pkgutil
import struct
from types import SimpleNamespace

import flatbuffers
import numpy
import sealwire.wire as generated

FRAME, TERMS, CLAIMS = b"SWFR", b"SWTM", b"SWCL"
ENVELOPE, HEADER, CONTENT = b"SWEN", b"SWHD", b"SWCO"
INCEPTION, PREKEY, REDEMPTION, INVITE = b"SWIN", b"SWPK", b"SWIV", b"SWIT"
ACCEPTANCE, REFUSAL = b"SWAC", b"SWNK"


class Malformed(Exception):
    """Bytes that are no such buffer."""


class Record(SimpleNamespace):
    """One parsed table."""


def _load():
    """flatc's object classes name one another without importing: every module gets all names."""
    names = {}
    modules = [importlib.import_module(f"{generated.__name__}.{module.name}")
               for module in pkgutil.iter_modules(generated.__path__)]
    for module in modules:
        names.update({k: v for k, v in vars(module).items()
                      if isinstance(v, type) or k.endswith("Creator")})
    for module in modules:
        vars(module).update(names)
    return names


_names = _load()
Binding, Code, Contact = _names["Binding"], _names["Code"], _names["Contact"]
Kind, Durability, ContentKind = _names["Kind"], _names["Durability"], _names["ContentKind"]


def code_name(value):
    """The name of an error code in SPEC.md chapter ERR."""
    return next((k for k, v in vars(Code).items() if v == value and not k.startswith("_")), value)


def _camel(name):
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)


def _snake(name):
    return "".join("_" + c.lower() if c.isupper() else c for c in name)


def table(name, **fields):
    """A table to be put into another one; a union's tag follows from the table given for it."""
    made = _names[name + "T"]()
    for field, value in fields.items():
        attribute = _camel(field)
        if not hasattr(made, attribute):
            raise AttributeError(f"{name} has no {field}")
        setattr(made, attribute, _vector(value))
        if hasattr(made, attribute + "Type"):
            union = _names[field.capitalize()]
            setattr(made, attribute + "Type", getattr(union, type(value).__name__[:-1]))
    return made


def _vector(value):
    """flatc's classes copy a numpy vector at once, and every other one byte by byte."""
    return numpy.frombuffer(value, numpy.uint8) if isinstance(value, bytes) else value


def finish(identifier, made):
    """The finished buffer of a table."""
    builder = flatbuffers.Builder(256)
    builder.Finish(made.Pack(builder), file_identifier=identifier)
    return bytes(builder.Output())


def build(identifier, name, **fields):
    """The finished buffer of a table with these fields."""
    return finish(identifier, table(name, **fields))


def frame(name, **fields):
    """The bytes of a Frame with a body of this table."""
    return build(FRAME, "Frame", body=table(name, **fields))


def _plain(value):
    if isinstance(value, numpy.ndarray):
        return value.tobytes()
    if isinstance(value, list):
        return [_plain(v) for v in value]
    if not type(value).__module__.startswith(generated.__name__):
        return value
    fields = {_snake(k): _plain(v) for k, v in vars(value).items()}
    return Record(table=type(value).__name__[:-1], **fields)


def parse(identifier, name, data):
    """Reads a finished buffer. Python's runtime has no verifier: bad offsets show as exceptions."""
    if len(data) < 8 or data[4:8] != identifier:
        raise Malformed(f"not a {identifier.decode()}")
    try:
        root = struct.unpack_from("<I", data)[0]
        return _plain(_names[name + "T"].InitFromBuf(bytearray(data), root))
    except (struct.error, IndexError, TypeError, ValueError) as error:
        raise Malformed(str(error)) from error
