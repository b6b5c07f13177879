"""A URL and the text that it should answer -> exit code 0 once it does; 1 if not within a minute."""

import sys
import time
import urllib.error
import urllib.request

url, wanted = sys.argv[1:3]
deadline = time.monotonic() + float(sys.argv[3] if len(sys.argv) > 3 else 60)
while True:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - the chart gives it
            found = answer.read().decode()
    except OSError as error:
        found = f"{type(error).__name__}: {error}"
    if found == wanted:
        print(f"{url} answers: {found}")
        sys.exit()
    if time.monotonic() > deadline:
        sys.exit(f"{url} does not answer {wanted!r}: {found}")
    time.sleep(0.5)
