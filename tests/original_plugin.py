"""The original CoreDNS plugin (mlbridge), rebuilt from what is documented of it: how it asks and reads the reply."""

import json
from http.client import HTTPConnection


class Plugin:
    """The original's request and its reading of the reply (Go's `Split`): no JSON is read, and nothing is checked."""

    def __init__(self, port: int) -> None:
        self.port = port

    def prints(self, name: str, client: str) -> str:
        body = json.dumps({"Domain Name": name.lower(), "IP": client}, separators=(",", ":"))
        headers = {
            "User-Agent": "Go-http-client/1.1",
            "Content-Type": "application/json",
            "Accept-Encoding": "gzip",
        }
        connection = HTTPConnection("127.0.0.1", self.port, timeout=5)
        connection.request("POST", "/", body, headers)
        text = connection.getresponse().read().decode()
        connection.close()
        number = text.split(":")[1].split('"')[1]  # an index that is not there was a panic
        try:
            probability = float(number)
        except ValueError:
            probability = 0.0
        if probability < 0.5:
            return f"Benign Domain: {name} | Probability: {1 - probability:f}"
        return f"Malicious Domain: {name} | Probability: {probability:f}"
