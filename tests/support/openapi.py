"""A client that is made of /openapi.json alone: a method per operation, whose
replies are held against the schema that the document gives them."""

import jsonschema

METHODS = ("get", "put", "post", "delete", "options")


class Operation:
    def __init__(self, api, at, method, row):
        self.api, self.at, self.method, self.row = api, at, method, row
        self.id = row["operationId"]
        self.path = at.partition("#")[0]
        self.listener, self.verb = row["x-listener"], row.get("x-verb", "-")

    def differs(self, reply):
        """Why the reply is not what the document says; None when it is."""
        responses = self.row["responses"]
        family = f"{reply.status // 100}XX"
        said = responses.get(str(reply.status), responses.get(family))
        if said is None:
            return f"{reply.status} is not foreseen"
        content = said.get("content")
        if content is None:
            return None
        kind = (reply.headers["Content-Type"] or "").partition(";")[0]
        kind = "*/*" if "*/*" in content else kind
        if kind not in content:
            return f"{kind!r} instead of {', '.join(content)}"
        schema = content[kind]["schema"]
        text = schema.get("type") == "string"  # Pegasus has JSON as text, too
        return self.api.mistake(schema, reply.text if text else reply.json)


def plain(schema):
    """OpenAPI 3.0's nullable as JSON Schema has it."""
    if isinstance(schema, list):
        return [plain(s) for s in schema]
    if not isinstance(schema, dict):
        return schema
    same = {k: plain(v) for k, v in schema.items() if k != "nullable"
            or not isinstance(v, bool)}
    if schema.get("nullable") is True:
        return {"anyOf": [same, {"type": "null"}]}
    return same


class Api:
    def __init__(self, document):
        document = plain(document)
        self.document = document
        self.operations = [
            Operation(self, at, method, row)
            for at, item in document["paths"].items()
            for method, row in item.items() if method in METHODS]
        self.resolver = jsonschema.RefResolver("", document)

    def mistake(self, schema, value):
        validator = jsonschema.Draft4Validator(schema, resolver=self.resolver)
        errors = sorted(validator.iter_errors(value), key=lambda e: e.path)
        if not errors:
            return None
        e = errors[0]
        return f"{'/'.join(map(str, e.absolute_path))}: {e.message[:300]}"
