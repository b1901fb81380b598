#!/usr/bin/env bash
# Ray: a process that has shut Ray down cannot start another local cluster under another token.
#
# Version: ray 2.60.0.
# Input: token authentication by RAY_AUTH_MODE and RAY_AUTH_TOKEN_PATH; ray.init, ray.shutdown, then the same with
#   another token in the same file, and with another file.
# Expected: the token is read when a cluster is started, so that the second cluster runs under the second token.
# What happens: the first token stays in the process for good, while the new head reads the file. The head refuses its
#   own starter, and after about a minute ray.init says "Failed to start GCS" with "Authentication token is missing or
#   incorrect" somewhere within; nothing public forgets the token. In a fresh process the same token works.
# Seen: "first: started; other file: refused; first again: started; in a fresh process: started".
# Why it matters: a night's driver that makes a token for each of its clusters, or a service that renews its token,
#   fails at the second one, and looks like a broken installation.
# Right value: one token for the life of a process, or a process for each cluster.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install -q --disable-pip-version-check ray==2.60.0
cd "$work"
cat > clusters.py <<'PY'
import os
import pathlib
import secrets
import sys

os.environ["RAY_AUTH_MODE"] = "token"

import ray


def start(name):
    token = pathlib.Path(name).resolve()
    if not token.exists():
        token.write_text(secrets.token_hex(32))
    os.environ["RAY_AUTH_TOKEN_PATH"] = str(token)
    try:
        ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False, logging_level="ERROR",
                 object_store_memory=80 * 2**20, _temp_dir=os.environ["SHORT"])
    except Exception as error:
        return "refused" if "uthentication" in str(error) else f"failed: {error}"
    finally:
        ray.shutdown()
    return "started"


print(" ".join(start(name) for name in sys.argv[1:]))
PY
SHORT=$(mktemp -d /tmp/r.XXXXXX); export SHORT; trap 'rm -rf "$work" "$SHORT"' EXIT
read -r first other again < <(env/bin/python clusters.py one two one 2>/dev/null | tail -n 1)
fresh=$(env/bin/python clusters.py two 2>/dev/null | tail -n 1)
echo "first: $first; other file: $other; first again: $again; in a fresh process: $fresh"
[ "$first $other $again $fresh" = "started refused started started" ]
echo "ray_second_token: still so"
