#!/bin/sh
# Makes the database on the first start, then runs the server in the foreground.
set -eu
bin=/usr/lib/postgresql/15/bin
as_postgres() { setpriv --reuid=postgres --regid=postgres --init-groups -- "$@"; }

install -d -o postgres -g postgres -m 700 "$PGDATA"
install -d -o postgres -g postgres -m 775 /run/postgresql
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    password=$(cat "$DATABASE_PASSWORD_FILE")
    as_postgres "$bin/initdb" --auth-local=trust --auth-host=scram-sha-256 --encoding=UTF8 --no-sync >/dev/null
    as_postgres "$bin/pg_ctl" -w -s -o "-c listen_addresses= -c unix_socket_directories=/run/postgresql" start
    as_postgres "$bin/psql" -q -h /run/postgresql -v ON_ERROR_STOP=1 -v name="$DATABASE_NAME" -v owner="$DATABASE_USER" \
        -v password="$password" -f /etc/webstack/tables.sql postgres
    as_postgres "$bin/pg_ctl" -w -s -m fast stop
    printf 'host all all all scram-sha-256\n' >>"$PGDATA/pg_hba.conf"
fi
exec setpriv --reuid=postgres --regid=postgres --init-groups -- \
    "$bin/postgres" -c listen_addresses='*' -c unix_socket_directories=/run/postgresql
