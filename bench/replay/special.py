"""Names that a resolver answers itself or never scores, as clients of every network ask them."""

SPECIAL = (
    # special-use and canaries: answered here
    "localhost", "app.localhost", "foo.test", "nothing.invalid", "somewhere.alt", "printer.local",
    "nas.internal", "db.prod.internal", "router.home.arpa", "resolver.arpa", "_dns.resolver.arpa",
    "use-application-dns.net", "mask.icloud.com", "mask-h2.icloud.com",
    "duckduckgogg42xjoc72x3sjasowoarfbgcmvfimaftt6twagswzczad.onion",
    # single labels: Chromium's probes, machines, search-suffix junk
    "qhzkvjwyxb", "plwmfnxqoz", "zvkqhtgrjc", "wpad", "isatap", "printer", "desktop-4f7k2qz", "nas",
    # private and public reverse zones
    "1.0.0.127.in-addr.arpa", "10.1.168.192.in-addr.arpa", "5.0.16.172.in-addr.arpa",
    "7.0.0.10.in-addr.arpa", "8.8.8.8.in-addr.arpa", "1.1.1.1.in-addr.arpa", "lb._dns-sd._udp.0.1.168.192.in-addr.arpa",
    "8.8.8.8.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.6.8.4.0.6.8.4.1.0.0.2.ip6.arpa",
    # services and challenges
    "_ldap._tcp.dc._msdcs.corp.example.org", "_sip._udp.example.org", "_dmarc.example.org",
    "_acme-challenge.www.example.org", "_25._tcp.mail.example.org", "selector1._domainkey.example.org",
    # search-suffix junk, undelegated tops
    "www.google.com.fritz.box", "api.corp", "wiki.intranet", "build.lan", "tv.home", "metadata.google.internal",
    "kubernetes.default.svc.cluster.local", "host.docker.internal", "unifi.localdomain",
    # block lists asked by DNS, look-ups of scanners
    "2.0.0.127.zen.spamhaus.org", "2.0.0.127.bl.spamcop.net", "9f86d081884c7d65.avts.mcafee.com",
    # documentation
    "example.com", "www.example.net", "example.org", "deep.below.www.example.org",
)  # fmt: skip
