"""Keys of clients, as the command prints them."""

from weir import command


def new_key(tenant, *scopes):
    """A key and its entry for the file of keys."""
    done = command("api-key", "new", "--tenant", tenant, *[word for scope in scopes for word in ("--scope", scope)])
    assert done.returncode == 0, done.stderr
    key, entry = done.stdout.split("\n\n", 1)
    return key, entry.removeprefix("keys:\n")
