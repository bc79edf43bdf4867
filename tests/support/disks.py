"""Small disks: a tmpfs in a mount namespace of a command's own."""

import os

# Moves the files of a folder to a tmpfs that only this command sees.
MOVE = """
set -e
mount --make-rprivate /
mkdir "$1.small"
mount -t tmpfs -o size=$2,mode=0700 none "$1.small"
cp -a "$1/." "$1.small"
chown --reference="$1" "$1.small"
mount --move "$1.small" "$1"
rmdir "$1.small"
shift 2
exec "$@"
"""


def own_disk(folder, size):
    """The words before a command that give it that disk."""
    enter = ["unshare", "-m"] if os.geteuid() == 0 else [
        "unshare", "-U", "-m", "--map-current-user", "--keep-caps"]
    return [*enter, "sh", "-c", MOVE, "own-disk", folder, str(size)]
