"""A destination with the bad days that real ones have."""

import threading
from collections import Counter

from destination import Destination, Reply
from waiting import eventually

# What it may do with a request; a number is the status that it answers without taking anything.
OK, DROP, HANG, RESTART = "ok", "drop", "hang", "restart"


class Backend(Destination):
    """Counts how often it said that it took a span, by the span's id. `mood` says what it does with the next request,
    whose spans it is given."""

    def __init__(self, mood=lambda spans: OK):
        self.mood = mood
        self.taken = Counter()
        self.moods = Counter()
        super().__init__()

    def answer(self, handler, received):
        message = received.message()
        ids = [s.span_id for r in message.resource_spans for scope in r.scope_spans for s in scope.spans]
        mood = self.mood(ids)
        with self.lock:
            self.moods[mood] += 1
            if mood == OK:
                self.taken.update(ids)
        handler.close_connection = mood in (DROP, HANG, RESTART)
        if mood == OK:
            handler.reply(Reply())
        elif mood == DROP:
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Le")
        elif mood == HANG:
            # Nothing comes but the end of the connection, when the client has had enough.
            handler.connection.recv(1)
        elif mood == RESTART:
            threading.Thread(target=self.restart).start()
        else:
            handler.reply(Reply(mood))

    def gets(self, spans, story):
        """Waits until it has taken all of them."""
        eventually(lambda: spans <= self.taken.keys(), story, 30)

    def restart(self):
        with self.lock:
            if self.server:
                self.stop()
                self.start()
