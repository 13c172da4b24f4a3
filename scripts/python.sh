# Sourced by the scripts beside it: finds a Python and readies environments. Sets ROOT, and defines `environment`.
set -euo pipefail
ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
cd "$ROOT"

# Print the first Python that is new enough and can make virtual environments. BURSAR_PYTHON overrides the search.
find_python() {
    local candidate
    for candidate in ${BURSAR_PYTHON:-python3.11 python3.12 python3.13 python3 python}; do
        if command -v "$candidate" >/dev/null 2>&1 &&
            "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
            echo "$candidate"
            return
        fi
    done
    echo "bursar: needs Python 3.11 or later with the venv module (looked for: ${BURSAR_PYTHON:-python3.11 python3.12 python3.13 python3 python})" >&2
    return 1
}

# environment PROFILE: ready the profile's virtual environment, and print its interpreter.
environment() {
    local python
    python="$(find_python)"
    "$python" -I "$ROOT/scripts/environment.py" "$1"
}
