"""The Bot API's own description, as checks: parameters going in, objects coming out."""
import json

SCALARS = {"Integer": int, "String": str, "Boolean": bool, "True": bool, "Float": (int, float)}


class Refused(Exception):
    """What the API answers instead of a result."""

    def __init__(self, description, parameters=None, status=400):
        super().__init__(description)
        self.description, self.parameters, self.status = description, parameters, status


class Schema:
    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            api = json.load(file)
        self.version = api["version"]
        self.methods = {name.lower(): method for name, method in api["methods"].items()}
        self.types = api["types"]

    def fits(self, value, kind):
        if kind.startswith("Array of "):
            return isinstance(value, list) and all(self.fits(v, kind[9:]) for v in value)
        if kind in SCALARS:
            if isinstance(value, bool):
                return kind in ("Boolean", "True") and (kind == "Boolean" or value)
            return isinstance(value, SCALARS[kind])
        described = self.types.get(kind)
        if described is None:
            return False
        if described.get("subtypes"):
            return any(self.fits(value, sub) for sub in described["subtypes"])
        if not isinstance(value, dict):
            return False
        fields = {field["name"]: field for field in described.get("fields", [])}
        return (all(name in fields and any(self.fits(v, k) for k in fields[name]["types"])
                    for name, v in value.items())
                and all(name in value for name, f in fields.items() if f["required"]))

    def convert(self, name, value, kinds, files):
        """A parameter as it came (JSON, or text of a form) as a value of one of `kinds`."""
        if "InputFile" in kinds and name in files:
            return files[name]
        if isinstance(value, str) and kinds != ["String"]:
            try:
                parsed = json.loads(value)
            except ValueError:
                parsed = value
            if any(self.fits(parsed, kind) for kind in kinds):
                return parsed
        if any(self.fits(value, kind) for kind in kinds):
            return value
        raise Refused(f"Bad Request: parameter {name} is not {' or '.join(kinds)}")

    def parameters(self, method, given, files):
        """Stricter than the real one, which passes over what it does not know."""
        fields = {field["name"]: field for field in method.get("fields", [])}
        for name in list(given) + list(files):
            if name not in fields:
                raise Refused(f"Bad Request: {method['name']} has no parameter {name}")
        for name, field in fields.items():
            if field["required"] and name not in given and name not in files:
                raise Refused(f"Bad Request: parameter {name} is required")
        return {name: self.convert(name, given.get(name), fields[name]["types"], files)
                for name in list(given) + [f for f in files if f not in given]}

    def result(self, method, value):
        if not any(self.fits(value, kind) for kind in method["returns"]):
            raise AssertionError(f"the double's own {method['name']} is not {method['returns']}: {value}")
        return value
