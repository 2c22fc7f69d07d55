"""fluent-logger for Python: records in the mode Message, with seconds and with Fluentd's own time."""

import importlib.metadata
import json
import sys

from fluent import sender

host, port = sys.argv[1], int(sys.argv[2])
sent = 0
for nanosecond_precision in (False, True):
    client = sender.FluentSender("app", host=host, port=port, nanosecond_precision=nanosecond_precision)
    name = f"python-{nanosecond_precision}".lower()
    for record in (
        {"message": f"[P1][PROBLEM][{name}][10.8.3.21][磁盘满了]", "pid": 7},
        {"message": "all is well", "level": "info"},
        {"log": "out of memory", "level": "fatal", "host": f"{name}-rule"},
    ):
        if not client.emit("web", record):
            raise SystemExit(f"{client.last_error}")
        sent += 1
    client.close()
print(json.dumps({"sent": sent, "version": importlib.metadata.version("fluent-logger")}))
