"""Makes of the script the file that Weir serves: without comments and spaces, and with short names inside."""

import pathlib
import sys

from calmjs.parse import es5
from calmjs.parse.unparsers.es5 import minify_print

SOURCE = pathlib.Path(__file__).with_name("weir-beacon.js")
SERVED = SOURCE.parents[1] / "Sources/Weir/Receivers/Beacon/weir-beacon.js"


def minified():
    # The last semicolon of a block ends nothing.
    return minify_print(es5(SOURCE.read_text()), obfuscate=True).replace(";}", "}") + "\n"


if __name__ == "__main__":
    SERVED.write_text(minified())
    size = SERVED.stat().st_size
    print(f"{SERVED}: {size} bytes")
    sys.exit(size >= 4000)
