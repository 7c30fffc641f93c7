"""A guest book: every visit to the page writes a row, and the page shows the newest ones."""

import html
import os

import psycopg2
from flask import Flask

app = Flask(__name__)


def connect():
    with open(os.environ["DATABASE_PASSWORD_FILE"], encoding="utf-8") as file:
        password = file.read().strip()
    return psycopg2.connect(
        host=os.environ["DATABASE_HOST"],
        dbname=os.environ["DATABASE_NAME"],
        user=os.environ["DATABASE_USER"],
        password=password,
        connect_timeout=3,
    )


@app.get("/alive")
def alive():
    with connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return "ok\n"


@app.get("/")
def page():
    with connect() as connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO visits DEFAULT VALUES")
        cursor.execute("SELECT text FROM greetings ORDER BY id LIMIT 1")
        greeting = cursor.fetchone()[0]
        cursor.execute("SELECT count(*), max(at) FROM visits")
        count, last = cursor.fetchone()
    return (
        "<!doctype html>\n<title>webstack</title>\n"
        f"<h1>{html.escape(greeting)}</h1>\n"
        f"<p>Visit {count}, at {last:%Y-%m-%d %H:%M:%S} by the database's clock.</p>\n"
    )
