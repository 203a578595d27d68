"""Clients that remember what they were told about each span, to be compared with what arrived."""

import random
import threading
from collections import Counter

import archives
from otlp import a_body, a_span, text
from wire import Closed, Connection, post, request

def send(weir, count=20):
    """Sends spans that have to be acknowledged, one a request; returns their ids."""
    spans = [a_span() for _ in range(count)]
    for span in spans:
        assert post(weir.endpoint, a_body(span)).rejected() == 0
    return {span.span_id for span in spans}


# Nothing listens there.
NOBODY = "127.0.0.1:1"


class Ledger:
    """What is known of spans, by their ids."""

    def __init__(self):
        self.lock = threading.Lock()
        self.sent = set()
        self.acknowledged = set()
        self.answers = Counter()

    def note(self, spans, answer):
        """`answer` is a status, or None where there was none."""
        with self.lock:
            self.answers[answer] += 1
            if answer == 200:
                self.acknowledged.update(spans)

    def compare(self, archive, accepted=None):
        """The sentences that are wrong about an archive, and about the spans that a destination took."""
        wrong = self.stored_once(Counter(found.span.span_id for found in archives.spans(archive)), "the archive")
        if accepted is not None:
            wrong += self._sentences(
                {
                    "acknowledged and not delivered": self.acknowledged - accepted.keys(),
                    "delivered and never sent": accepted.keys() - self.sent,
                }
            )
        return wrong

    def stored_once(self, found, place):
        """The sentences that are wrong about a place that holds each acknowledged span once; `found` counts by id."""
        return self._sentences(
            {
                f"acknowledged and not in {place}": self.acknowledged - found.keys(),
                f"in {place} and never sent": found.keys() - self.sent,
                f"in {place} more than once": {span for span, count in found.items() if count > 1},
            }
        )

    def _sentences(self, wrong):
        total = f"of {len(self.sent)} sent, {len(self.acknowledged)} acknowledged, answers {dict(self.answers)}"
        return [f"{len(spans)} spans {what}, {total}" for what, spans in wrong.items() if spans]


class Load:
    """Clients on threads, whose spans `make` makes. When a program ends, `endpoint` is set to that of the next."""

    def __init__(self, ledger, seed, clients=4, make=a_span):
        self.ledger, self.make = ledger, make
        self.endpoint = None
        self.stopping = threading.Event()
        self.threads = [
            threading.Thread(target=self._client, args=(random.Random(f"{seed} {number}"),))
            for number in range(clients)
        ]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join()

    def _client(self, dice):
        again = None
        while not self.stopping.is_set():
            endpoint = self.endpoint
            try:
                with Connection(endpoint or NOBODY) as connection:
                    while not self.stopping.is_set() and self.endpoint == endpoint:
                        again = self._exchange(connection, dice, again)
            except _Unanswered as lost:
                # An SDK sends again what it got no answer for, but not for ever.
                again = lost.args[0] if dice.random() < 0.7 else None
            except OSError:
                pass  # nobody is there
            self.stopping.wait(0.01)

    def _exchange(self, connection, dice, again):
        """Sends one request. Returns what is to be sent again."""
        spans, body = again or self._request(dice)
        try:
            connection.send(request(body))
            answer = connection.read()
        except (OSError, Closed) as error:
            self.ledger.note(spans, None)
            raise _Unanswered((spans, body)) from error
        self.ledger.note(spans, answer.status)
        if answer.status == 200:
            assert answer.rejected() == 0
            return None
        self.stopping.wait(0.05)
        return (spans, body) if answer.status in (429, 503) and dice.random() < 0.7 else None

    def _request(self, dice):
        filler = text("filler", "x" * dice.choice([10, 100, 4000]))
        spans = [self.make(attributes=[filler]) for _ in range(dice.choice([1, 1, 2, 5, 20]))]
        ids = {span.span_id for span in spans}
        with self.ledger.lock:
            self.ledger.sent |= ids
        return ids, a_body(*spans)


class _Unanswered(Exception):
    """With the request that got no answer."""
