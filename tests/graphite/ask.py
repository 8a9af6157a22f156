"""The real graphite-web with one member in its cluster: `ask.py PORT [FORMAT]`, the member's port and what it is spoken to in,
`msgpack` or `pickle`.

Each line of standard input is a request, `["/render", [["target", "a.*"]]]`; each line of standard output its answer, the
status and the text. It keeps nothing in its caches, so that an answer is what the member says now.
"""
import json
import os
import sys
import tempfile
from urllib.parse import urlencode


def start(root, port, form):
    """graphite-web in this process; a client of it."""
    for folder in ("log", "conf", "whisper"):
        os.makedirs(os.path.join(root, folder))
    settings = {
        "SECRET_KEY": "x", "ALLOWED_HOSTS": ["*"], "TIME_ZONE": "UTC", "LOG_DIR": root + "/log", "CONF_DIR": root + "/conf", "STORAGE_DIR": root, "WHISPER_DIR": root + "/whisper",
        "CLUSTER_SERVERS": [f"127.0.0.1:{port}?format={form}"], "STORAGE_FINDERS": ["graphite.finders.remote.RemoteFinder"],
        "CACHES": {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}},
        "DATABASES": {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": root + "/db.sqlite"}},
    }
    with open(os.path.join(root, "member_settings.py"), "w") as file:
        file.writelines(f"{key} = {value!r}\n" for key, value in settings.items())
    sys.path.insert(0, root)
    os.environ.update(GRAPHITE_ROOT=root, DJANGO_SETTINGS_MODULE="graphite.settings", GRAPHITE_SETTINGS_MODULE="member_settings")
    import django
    from django.core.management import call_command
    from django.test import Client

    django.setup()
    call_command("migrate", run_syncdb=True, verbosity=0)
    return Client(raise_request_exception=False)


def main():
    with tempfile.TemporaryDirectory() as root:
        client = start(root, int(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "msgpack")
        for line in sys.stdin:
            path, params = json.loads(line)
            response = client.get(f"{path}?{urlencode([tuple(pair) for pair in params])}")
            print(json.dumps([response.status_code, response.content.decode()]), flush=True)


if __name__ == "__main__":
    main()
