# Sourced by bin/kouan and bin/test: `venv_ready ROOT EXTRAS` makes ROOT/.venv ready and is silent when it is.
#
# Ready means: installed from constraints.txt with these extras, by the Python that is still there. The
# stamp that says so is written last, so a killed installation is done again. One installer at a time
# (flock). pip's own variables are honoured: PIP_INDEX_URL, PIP_FIND_LINKS, PIP_NO_INDEX, PIP_PROXY …
# KOUAN_PYTHON names the Python to use.

venv_say() { printf 'kouan: %s\n' "$*" >&2; }

venv_key() {
    set -- "$1" "$(cat "$1/constraints.txt" "$1/setup.cfg" "$1/pyproject.toml" | sha256sum)"
    printf '%s %s %s' "${2%% *}" "$1" "$(readlink -f "$1/.venv/bin/python" || true)"
}

venv_is_ready() {
    [ -x "$1/.venv/bin/python" ] && [ -f "$1/.venv/stamp-$2" ] && [ ! -e "$1/.venv/unfinished" ] \
        && [ "$(cat "$1/.venv/stamp-$2")" = "$(venv_key "$1")" ]
}

venv_ready() {
    venv_is_ready "$1" "$2" && return 0
    if ! mkdir -p "$1/.cache" 2>/dev/null || [ ! -w "$1" ]; then
        venv_say "$1 cannot be written to, and .venv must be made in it. Call bin/kouan once as its owner, or copy the folder."
        exit 1
    fi
    if command -v flock >/dev/null 2>&1; then
        exec 9>"$1/.cache/venv.lock"
        flock -n 9 || { venv_say "another kouan is making .venv; waiting for it."; flock 9; }
    fi
    if ! venv_is_ready "$1" "$2"; then
        venv_make "$1" "$2" || exit 1
    fi
    exec 9>&-
}

# The first Python that fits: 3.11 to 3.13, for which lxml and xmlsec come as a pair of wheels, with venv.
venv_python() {
    without_venv=
    for python in ${KOUAN_PYTHON:-python3 python3.13 python3.12 python3.11 /usr/bin/python3}; do
        "$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' >/dev/null 2>&1 || continue
        if "$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then
            printf '%s' "$python"
            return 0
        fi
        without_venv=$python
    done
    if [ -n "$without_venv" ]; then
        venv_say "$without_venv has no venv module, so .venv cannot be made. On Debian:  apt-get install python3-venv"
    else
        venv_say "no Python 3.11, 3.12 or 3.13 is found. On Debian:  apt-get install python3 python3-venv   or name one:  KOUAN_PYTHON=/path/python3.11 bin/kouan"
    fi
    return 1
}

venv_make() {
    root=$1 extras=$2 log=$1/.cache/venv.log
    # What another Python made, or what was left half made, is not mended but made again.
    if [ -e "$root/.venv/unfinished" ] || { [ -d "$root/.venv" ] && ! venv_runs "$root"; }; then
        rm -rf "$root/.venv"
    fi
    : >"$log"
    if [ ! -d "$root/.venv" ]; then
        python=$(venv_python) || return 1
        venv_say "making .venv with $("$python" -V 2>&1), once; this takes a minute. Log: $log"
        mkdir "$root/.venv" && : >"$root/.venv/unfinished"
        "$python" -m venv "$root/.venv" >>"$log" 2>&1 || { venv_failed "$log"; return 1; }
    else
        venv_say "bringing .venv up to constraints.txt. Log: $log"
        : >"$root/.venv/unfinished"
    fi
    (cd "$root" && .venv/bin/python -m pip install --disable-pip-version-check --no-input \
        --only-binary lxml,xmlsec -c constraints.txt -e ".[$extras]") >>"$log" 2>&1 || { venv_failed "$log"; return 1; }
    if ! "$root/.venv/bin/python" -c 'import lxml.etree, xmlsec' >>"$log" 2>&1; then
        tail -n 1 "$log" >&2
        venv_say "lxml and xmlsec do not share one libxml2. Take both as wheels, without PIP_NO_BINARY:  rm -r $root/.venv  and call again."
        return 1
    fi
    # What has more extras serves those who ask for fewer.
    for stamp in "$extras" "${extras%%,*}"; do
        venv_key "$root" >"$root/.venv/stamp-$stamp.new"
        mv "$root/.venv/stamp-$stamp.new" "$root/.venv/stamp-$stamp"
    done
    rm -f "$root/.venv/unfinished"
    venv_say "ready."
}

venv_runs() {
    "$1/.venv/bin/python" -c 'import sys, pip; sys.exit(sys.prefix == sys.base_prefix)' >/dev/null 2>&1
}

venv_failed() {
    tail -n 5 "$1" >&2
    venv_say "the installation failed; nothing is half used, the next call begins again. The whole log: $1"
    venv_say "Without a way to the package index name a mirror:  PIP_INDEX_URL=https://mirror/simple bin/kouan"
    venv_say "or a folder of wheels:  PIP_NO_INDEX=1 PIP_FIND_LINKS=/path/wheels bin/kouan"
}
