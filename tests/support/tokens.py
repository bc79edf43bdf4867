"""A token of each scope, made by `metagate token add` when first asked for."""

SCOPES = ("read", "write", "admin", "profile", "machine")


class Tokens:
    def __init__(self, deployment):
        self.deployment = deployment
        self.made = {}

    def __getitem__(self, scope):
        """scope: one of SCOPES, "secrets" (write, prints secrets),
        "unknown" (right form, not ours), "none" or None (no token)."""
        if scope in (None, "none"):
            return None
        if scope == "unknown":
            return "0123456789abcdef" * 4
        if scope not in self.made:
            self.made[scope] = self._make(scope)
        return self.made[scope]

    def _make(self, scope):
        if scope == "admin":
            return self._read("token")
        if scope == "secrets":
            return self.add("t-secrets", "write", "secrets")
        return self.add(f"t-{scope}", scope)

    def add(self, name, scope, *more):
        self.deployment.command("token", "add", name, scope, *more)
        token = self._read("tokens", name)
        if self.deployment.front:
            self.deployment.front.wait_known(
                self.deployment.client("console", None).using(token=token))
        return token

    def _read(self, *path):
        with open(self.deployment.path(*path)) as f:
            return f.read().strip()
