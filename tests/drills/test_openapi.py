"""What redocly's linter says of the API's description; it comes from npm."""

import json
import subprocess

from support import tables

LINT = ["npx", "--yes", "@redocly/cli@2", "lint", "--format=json"]


def test_the_api_description_has_no_errors(tmp_path):
    document = tmp_path / "openapi.json"
    with open(document, "wb") as f:
        subprocess.run([tables.BINARY, "routes", "--openapi"], stdout=f,
                       check=True, timeout=60)
    done = subprocess.run([*LINT, document], cwd=tmp_path, timeout=600,
                          capture_output=True, text=True)
    said = json.loads(done.stdout)
    errors = [p for p in said["problems"] if p["severity"] == "error"]
    assert not errors, json.dumps(errors[:5], indent=1)
    # a row that always refuses has no success
    assert {p["ruleId"] for p in said["problems"]} <= {
        "operation-2xx-response"}
