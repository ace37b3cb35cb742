#!/usr/bin/env bash
# Installs what is missing, and takes a moment where nothing is: system libraries, .venv/, the locked packages, the
# compiled translations.
#
#   config/setup.sh runtime    what the product needs
#   config/setup.sh dev        and what its tests and checks need
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
umask 022

kind=${1:-runtime}
libraries=(libpango-1.0-0 libpangoft2-1.0-0)          # without these no PDF can be made
extras=(libharfbuzz-subset0 fonts-noto-cjk)           # without these PDFs are slow, or Chinese is missing from them
[ "$kind" = dev ] && extras+=(chromium gettext poppler-utils)

say() { printf '%s\n' "$*" >&2; }
stop() { say "setup: $*"; exit 1; }

missing() { # the packages among the arguments that are not installed
    local package
    for package in "$@"; do
        dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || printf '%s ' "$package"
    done
}

as_root=()
may_install() {
    command -v apt-get >/dev/null || return 1
    [ "$(id -u)" = 0 ] && return 0
    command -v sudo >/dev/null && sudo -n true 2>/dev/null && as_root=(sudo -n)
}

install() {
    say "setup: installing $*"
    export DEBIAN_FRONTEND=noninteractive
    "${as_root[@]}" apt-get -qq -o DPkg::Lock::Timeout=300 update >&2 || true # an old list may still do
    "${as_root[@]}" apt-get -qq -y --no-install-recommends -o DPkg::Lock::Timeout=300 install "$@" >&2
}

system_packages() {
    command -v dpkg-query >/dev/null || return 0 # another system: its own packages must provide the libraries
    local needed wanted
    read -ra needed <<<"$(missing "${libraries[@]}")"
    read -ra wanted <<<"$(missing "${extras[@]}")"
    [ $((${#needed[@]} + ${#wanted[@]})) = 0 ] && return 0
    if may_install; then
        install "${needed[@]}" "${wanted[@]}" || stop "apt-get could not install: ${needed[*]} ${wanted[*]}"
    elif [ ${#needed[@]} != 0 ]; then
        stop "ask an administrator to run: apt-get install ${needed[*]} ${wanted[*]}"
    else
        say "setup: going on without ${wanted[*]}; to have them, run as root: apt-get install ${wanted[*]}"
    fi
}

supported() { "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; }

find_python() {
    local candidate
    for candidate in ${PYTHON:+"$PYTHON"} python3 python3.13 python3.12 python3.11; do
        if command -v "$candidate" >/dev/null && supported "$candidate"; then
            printf '%s' "$candidate"
            return 0
        fi
    done
    return 1
}

virtual_environment() {
    local python
    if [ -x .venv/bin/python ] && supported .venv/bin/python && .venv/bin/python -c 'import pip' 2>/dev/null; then
        return 0
    fi
    if ! python=$(find_python); then
        may_install && install python3 python3-venv || true
        python=$(find_python) || stop "Python 3.11, 3.12 or 3.13 is needed: install one, or set PYTHON to its path."
    fi
    if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        local version
        version=$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
        may_install && install "$version" \
            || stop "$python can't make virtual environments: run as root: apt-get install $version"
    fi
    say "setup: creating .venv with $("$python" --version)"
    "$python" -m venv --clear .venv || stop "$python could not create .venv"
}

locked_packages() {
    local digest dev_digest
    digest=$(sha256sum <requirements.txt)
    dev_digest=$(cat requirements.txt requirements-dev.txt | sha256sum)
    [ "$(cat .venv/installed-dev 2>/dev/null)" = "$dev_digest" ] && return 0
    [ "$kind" = runtime ] && [ "$(cat .venv/installed-runtime 2>/dev/null)" = "$digest" ] && return 0
    say "setup: installing the locked packages (once; a minute or so)"
    local file=requirements.txt
    [ "$kind" = dev ] && file=requirements-dev.txt
    PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore PYTHONDONTWRITEBYTECODE=1 \
        .venv/bin/python -m pip install --quiet --no-input --no-deps --require-hashes --only-binary :all: -r "$file" >&2 \
        || stop "pip could not install $file; the reason stands above"
    if [ "$kind" = dev ]; then
        printf '%s\n' "$dev_digest" >.venv/installed-dev
    else
        printf '%s\n' "$digest" >.venv/installed-runtime
    fi
}

mkdir -p var
exec 9>var/setup.lock
flock 9 2>/dev/null || true # two at once would install over each other
system_packages
virtual_environment
locked_packages
.venv/bin/python -m config.messages compile
