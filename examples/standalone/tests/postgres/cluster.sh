#!/bin/sh
# A PostgreSQL server for tests, on a Unix socket in a folder of its own.
# usage: cluster.sh FOLDER KEPT
# FOLDER is for this server; KEPT is where a new cluster is kept for the next time.
# Reads commands, a line each, and answers each with a line: `start`, `stop` (in order), `kill`
# (as a crash). At the end of its input, however that comes, the server and the folder are gone.
set -eu
trap '' INT TERM HUP
folder=$1
kept=$2
newest=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
PATH=$PATH:$newest
command -v initdb >/dev/null && command -v postgres >/dev/null || {
    echo "PostgreSQL's server is not installed (package postgresql)"
    exit 1
}

# The server refuses to be run by root.
as=
server=
end() {
    [ -z "$server" ] || kill -"$1" "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
    server=
}
trap 'end QUIT; rm -rf "$folder"' EXIT
if [ "$(id -u)" = 0 ]; then
    as="setpriv --reuid=postgres --regid=postgres --clear-groups --pdeathsig=QUIT"
    chown postgres "$folder"
fi
data=$folder/data

# One program at a time makes what all will copy.
mkdir -p "$kept"
exec 9>"$kept/lock"
flock 9
version=$(postgres --version | tr -c 'A-Za-z0-9.\n' _)
if [ ! -d "$kept/$version" ]; then
    mkdir "$data"
    [ -z "$as" ] || chown postgres "$data"
    (cd / && $as initdb --pgdata="$data" --username=postgres --auth=trust --encoding=UTF8 \
        --locale=C.UTF-8 --no-sync --wal-segsize=1 >"$folder/initdb" 2>&1) ||
        { tr '\n' ' ' <"$folder/initdb"; exit 1; }
    cp -a "$data" "$kept/$version.new"
    mv "$kept/$version.new" "$kept/$version"
else
    cp -a "$kept/$version" "$data"
fi
flock -u 9
exec 9>&-

start() {
    # What a server that was killed has left may still be going.
    for attempt in 1 2 3 4 5 6 7 8 9 10; do
        (cd / && exec $as postgres -D "$data" -k "$folder" -c listen_addresses= -c fsync=off \
            -c max_connections=200 -c shared_buffers=32MB -c max_wal_size=64MB \
            </dev/null >>"$folder/log" 2>&1) &
        server=$!
        while kill -0 "$server" 2>/dev/null; do
            if pg_isready -q -h "$folder" -U postgres; then
                echo ready
                return
            fi
            sleep 0.02
        done
        wait "$server" || true
        sleep 0.2
    done
    tail -n 3 "$folder/log" | tr '\n' ' '
    exit 1
}
while read -r order; do
    case $order in
        start) start ;;
        stop) end INT && echo stopped ;;
        kill) end KILL && echo killed ;;
    esac
done
