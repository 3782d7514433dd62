-- Times are UTC text, money is minor units, energy is Wh, power is W.

CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

-- ---------------------------------------------------------------- who may use the pages and the API

CREATE TABLE operators (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE COLLATE NOCASE,
    password_hash TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('admin', 'desk', 'viewer')),
    language TEXT NOT NULL DEFAULT '',
    created_at INTEGER NOT NULL,
    disabled_at INTEGER
) STRICT;

-- Browser sign-ins, of operators and of drivers; only a digest of the cookie is kept.
CREATE TABLE logins (
    digest TEXT PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('operator', 'driver')),
    operator_id INTEGER REFERENCES operators (id),
    card_id INTEGER REFERENCES cards (id),
    created_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    CHECK ((kind = 'operator') = (operator_id IS NOT NULL)),
    CHECK ((kind = 'driver') = (card_id IS NOT NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX logins_by_operator ON logins (operator_id) WHERE operator_id IS NOT NULL;
CREATE INDEX logins_by_card ON logins (card_id) WHERE card_id IS NOT NULL;
CREATE INDEX logins_by_end ON logins (expires_at);

CREATE TABLE api_keys (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('admin', 'desk', 'viewer')),
    digest TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    revoked_at INTEGER
) STRICT;

CREATE TABLE audit (
    id INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    actor TEXT NOT NULL,
    actor_kind TEXT NOT NULL DEFAULT 'system',
    actor_id TEXT NOT NULL DEFAULT '',
    role TEXT NOT NULL DEFAULT '',
    channel TEXT NOT NULL DEFAULT '',
    address TEXT NOT NULL DEFAULT '',
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail TEXT NOT NULL DEFAULT '{}'
) STRICT;

-- ---------------------------------------------------------------- chargers

-- The currencies in use, as domain/money/currencies.py has them; a row comes with a currency's first use.
CREATE TABLE currencies (
    code TEXT PRIMARY KEY,
    decimals INTEGER NOT NULL,
    cash_step INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- A price list by its name; its prices stand in its versions. Moments of these three tables are UTC milliseconds.
CREATE TABLE tariffs (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    currency TEXT NOT NULL REFERENCES currencies (code),
    is_default INTEGER NOT NULL DEFAULT 0 CHECK (is_default IN (0, 1)),
    created_at INTEGER NOT NULL,
    archived_at INTEGER
) STRICT;
CREATE UNIQUE INDEX tariffs_default ON tariffs (is_default) WHERE is_default = 1 AND archived_at IS NULL;

-- The prices of a tariff from a moment on. Never changed in place: sessions refer to them.
CREATE TABLE tariff_versions (
    id INTEGER PRIMARY KEY,
    tariff_id INTEGER NOT NULL REFERENCES tariffs (id),
    version INTEGER NOT NULL,
    valid_from INTEGER NOT NULL,
    definition TEXT NOT NULL CHECK (json_valid(definition)),
    created_at INTEGER NOT NULL,
    UNIQUE (tariff_id, version)
) STRICT;
CREATE TRIGGER tariff_versions_stay BEFORE UPDATE ON tariff_versions BEGIN
    SELECT RAISE (ABORT, 'tariff versions are never changed');
END;
CREATE TRIGGER tariff_versions_remain BEFORE DELETE ON tariff_versions BEGIN
    SELECT RAISE (ABORT, 'tariff versions are never deleted');
END;

-- Who or what is charged by which tariff from a moment on; without ``tariff_id`` by none of its own again.
-- ``subject`` is a person's id, a group's name, a charger's identity, or empty for the site.
CREATE TABLE tariff_assignments (
    id INTEGER PRIMARY KEY,
    scope TEXT NOT NULL,
    subject TEXT NOT NULL,
    evse INTEGER NOT NULL DEFAULT 0,
    connector INTEGER NOT NULL DEFAULT 0,
    valid_from INTEGER NOT NULL,
    tariff_id INTEGER REFERENCES tariffs (id),
    created_at INTEGER NOT NULL,
    UNIQUE (scope, subject, evse, connector, valid_from)
) STRICT;
CREATE INDEX tariff_assignments_by_tariff ON tariff_assignments (tariff_id) WHERE tariff_id IS NOT NULL;

CREATE TABLE chargers (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL DEFAULT '',
    registration TEXT NOT NULL DEFAULT 'accepted' CHECK (registration IN ('accepted', 'pending', 'rejected')),
    security_profile INTEGER NOT NULL DEFAULT 1 CHECK (security_profile BETWEEN 0 AND 3),
    password_salt BLOB,
    password_digest BLOB,
    password_form TEXT NOT NULL DEFAULT '',
    old_password_salt BLOB,
    old_password_digest BLOB,
    allow_missing_subprotocol INTEGER NOT NULL DEFAULT 0 CHECK (allow_missing_subprotocol IN (0, 1)),
    token_transform TEXT NOT NULL DEFAULT 'none',
    tariff_id INTEGER REFERENCES tariffs (id),
    max_power_w INTEGER,
    pinned_protocol TEXT NOT NULL DEFAULT '',
    protocol TEXT NOT NULL DEFAULT '',
    vendor TEXT NOT NULL DEFAULT '',
    model TEXT NOT NULL DEFAULT '',
    serial TEXT NOT NULL DEFAULT '',
    firmware TEXT NOT NULL DEFAULT '',
    boot_info TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(boot_info)),
    booted_at TEXT,
    connected_at TEXT,
    disconnected_at TEXT,
    created_at TEXT NOT NULL,
    archived_at TEXT
) STRICT;
-- Identities are told apart without regard to case: chargers write theirs in the URL and in the user name.
CREATE UNIQUE INDEX chargers_by_identity ON chargers (id COLLATE NOCASE);

-- A connector of an EVSE; 1.6 has no EVSEs, its connectors have 0. (0, 0) is the charger as a whole and has no slug.
CREATE TABLE connectors (
    charger_id TEXT NOT NULL REFERENCES chargers (id),
    evse INTEGER NOT NULL CHECK (evse >= 0),
    number INTEGER NOT NULL CHECK (number >= 0),
    name TEXT NOT NULL DEFAULT '',
    status TEXT NOT NULL DEFAULT 'unknown',
    error_code TEXT NOT NULL DEFAULT '',
    info TEXT NOT NULL DEFAULT '',
    status_at TEXT,
    slug TEXT UNIQUE,
    tariff_id INTEGER REFERENCES tariffs (id),
    PRIMARY KEY (charger_id, evse, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE status_intervals (
    id INTEGER PRIMARY KEY,
    charger_id TEXT NOT NULL,
    evse INTEGER NOT NULL,
    connector INTEGER NOT NULL,
    status TEXT NOT NULL,
    error_code TEXT NOT NULL DEFAULT '',
    from_at TEXT NOT NULL,
    until_at TEXT
) STRICT;
-- The only index: the newest of a place is the open one, so that a status dirties few pages.
CREATE INDEX status_intervals_by_place ON status_intervals (charger_id, evse, connector, from_at);

CREATE TABLE connection_intervals (
    id INTEGER PRIMARY KEY,
    charger_id TEXT NOT NULL,
    protocol TEXT NOT NULL,
    remote TEXT NOT NULL,
    from_at TEXT NOT NULL,
    until_at TEXT,
    reason TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX connection_intervals_by_charger ON connection_intervals (charger_id, from_at);
CREATE INDEX connection_intervals_open ON connection_intervals (charger_id) WHERE until_at IS NULL;

-- When the product itself ran; the gaps are "no data", not "offline".
CREATE TABLE process_intervals (
    id INTEGER PRIMARY KEY,
    from_at TEXT NOT NULL,
    alive_at TEXT NOT NULL
) STRICT;

-- Chargers that tried to connect and were refused.
CREATE TABLE connection_attempts (
    identity TEXT PRIMARY KEY,
    remote TEXT NOT NULL,
    path TEXT NOT NULL,
    subprotocols TEXT NOT NULL DEFAULT '',
    with_credentials INTEGER NOT NULL DEFAULT 0,
    reason TEXT NOT NULL,
    known INTEGER NOT NULL DEFAULT 0,
    first_at TEXT NOT NULL,
    last_at TEXT NOT NULL,
    times INTEGER NOT NULL DEFAULT 1,
    offered_salt BLOB,
    offered_digest BLOB,
    -- Callers with different keys came under this name: which one is the charger, nobody here knows.
    keys_differ INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX connection_attempts_by_last ON connection_attempts (last_at);

-- Raw messages, one row a COMMIT: id is its time in ms, chargers the names of who speaks in it, data compressed
-- msgpack, upto the bytes of all packs until here.
CREATE TABLE packs (
    id INTEGER PRIMARY KEY,
    upto INTEGER NOT NULL,
    chargers TEXT NOT NULL,
    data BLOB NOT NULL
) STRICT;
-- Older ones, regrouped by charger; a message keeps its id, which is its pack's and its position there.
CREATE TABLE charger_packs (
    id INTEGER PRIMARY KEY,
    charger_id TEXT NOT NULL,
    first_id INTEGER NOT NULL,
    last_id INTEGER NOT NULL,
    upto INTEGER NOT NULL,
    data BLOB NOT NULL
) STRICT;
CREATE INDEX charger_packs_by_charger ON charger_packs (charger_id, first_id);

CREATE TABLE quirks (
    charger_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    times INTEGER NOT NULL,
    first_at TEXT NOT NULL,
    last_at TEXT NOT NULL,
    example TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (charger_id, kind)
) STRICT, WITHOUT ROWID;

-- What chargers tell of firmware, diagnostics, security.
CREATE TABLE notices (
    id INTEGER PRIMARY KEY,
    charger_id TEXT NOT NULL,
    at TEXT NOT NULL,
    kind TEXT NOT NULL,
    detail TEXT NOT NULL CHECK (json_valid(detail))
) STRICT;
CREATE INDEX notices_by_charger ON notices (charger_id, id);

CREATE TABLE commands (
    id INTEGER PRIMARY KEY,
    charger_id TEXT NOT NULL,
    action TEXT NOT NULL,
    request TEXT NOT NULL,
    response TEXT,
    status TEXT NOT NULL,
    origin TEXT NOT NULL DEFAULT '',
    wanted_at TEXT NOT NULL,
    sent_at TEXT,
    ended_at TEXT
) STRICT;
CREATE INDEX commands_by_charger ON commands (charger_id, id);
CREATE INDEX commands_unfinished ON commands (id) WHERE status IN ('wanted', 'sent');

-- The device model. A key of 1.6 is a variable of the component '' at the place (0, 0).
CREATE TABLE variables (
    charger_id TEXT NOT NULL,
    component TEXT NOT NULL,
    instance TEXT NOT NULL,
    evse INTEGER NOT NULL,
    connector INTEGER NOT NULL,
    name TEXT NOT NULL,
    name_instance TEXT NOT NULL,
    attribute TEXT NOT NULL CHECK (attribute IN ('actual', 'target', 'least', 'most')),
    value TEXT,
    mutability TEXT NOT NULL CHECK (mutability IN ('read_only', 'read_write', 'write_only')),
    data_type TEXT NOT NULL DEFAULT '',
    unit TEXT NOT NULL DEFAULT '',
    choices TEXT NOT NULL DEFAULT '',
    reported_at INTEGER NOT NULL,
    PRIMARY KEY (charger_id, component, instance, evse, connector, name, name_instance, attribute)
) STRICT, WITHOUT ROWID;

-- What the site wants of variables: sent again until the charger answers, then read back.
-- What chargers showed of themselves: the most that a connector ever delivered, and what a stop takes (place 0, 0).
CREATE TABLE learned (
    charger_id TEXT NOT NULL,
    evse INTEGER NOT NULL,
    connector INTEGER NOT NULL,
    top_power_w INTEGER,
    stop_ms INTEGER,
    PRIMARY KEY (charger_id, evse, connector)
) STRICT, WITHOUT ROWID;

CREATE TABLE desired_settings (
    charger_id TEXT NOT NULL,
    component TEXT NOT NULL,
    instance TEXT NOT NULL,
    evse INTEGER NOT NULL,
    connector INTEGER NOT NULL,
    name TEXT NOT NULL,
    name_instance TEXT NOT NULL,
    attribute TEXT NOT NULL CHECK (attribute IN ('actual', 'target')),
    value TEXT NOT NULL,
    status TEXT NOT NULL,
    origin TEXT NOT NULL DEFAULT '',
    tries INTEGER NOT NULL DEFAULT 0,
    wanted_at INTEGER NOT NULL,
    tried_at INTEGER,
    PRIMARY KEY (charger_id, component, instance, evse, connector, name, name_instance, attribute)
) STRICT, WITHOUT ROWID;

CREATE TABLE reservations (
    charger_id TEXT NOT NULL,
    id INTEGER NOT NULL,
    evse INTEGER NOT NULL DEFAULT 0,
    connector INTEGER NOT NULL,
    uid TEXT NOT NULL,
    card_id INTEGER REFERENCES cards (id),
    group_name TEXT,
    expires_at TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('active', 'used', 'cancelled', 'expired')),
    session_id INTEGER,
    created_at TEXT NOT NULL,
    ended_at TEXT,
    PRIMARY KEY (charger_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX reservations_active ON reservations (expires_at) WHERE status = 'active';
CREATE INDEX reservations_ended ON reservations (ended_at) WHERE ended_at IS NOT NULL;

-- A stored profile; its id is the one that goes out.
CREATE TABLE charging_profiles (
    id INTEGER PRIMARY KEY,
    description TEXT NOT NULL DEFAULT '',
    profile TEXT NOT NULL CHECK (json_valid(profile)),
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
) STRICT;

CREATE TABLE profiles_in_force (
    charger_id TEXT NOT NULL,
    evse INTEGER NOT NULL,
    connector INTEGER NOT NULL,
    profile_id INTEGER NOT NULL,
    purpose TEXT NOT NULL,
    stack_level INTEGER NOT NULL,
    profile TEXT NOT NULL CHECK (json_valid(profile)),
    set_at TEXT NOT NULL,
    PRIMARY KEY (charger_id, profile_id)
) STRICT, WITHOUT ROWID;

-- ---------------------------------------------------------------- people, cards, money

-- The ledger knows wallets only; the way from a wallet to a person can be deleted.
CREATE TABLE people (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    email TEXT NOT NULL DEFAULT '',
    phone TEXT NOT NULL DEFAULT '',
    note TEXT NOT NULL DEFAULT '',
    language TEXT NOT NULL DEFAULT '',
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    archived_at INTEGER
) STRICT;

CREATE TABLE account_kinds (
    kind TEXT PRIMARY KEY,
    meaning TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO account_kinds (kind, meaning) VALUES
    ('wallet', 'what the site owes the holders of wallets'),
    ('cash', 'the till'),
    ('bank', 'transfers'),
    ('revenue', 'charging, net'),
    ('vat', 'value added tax that is due'),
    ('prepaid_vat', 'value added tax of top-ups that is not yet spent; below zero'),
    ('adjustment', 'what an operator set right');

-- The site's own accounts. A wallet's balance stands in the wallet. Credit is positive.
CREATE TABLE accounts (
    kind TEXT NOT NULL REFERENCES account_kinds (kind),
    currency TEXT NOT NULL REFERENCES currencies (code),
    balance INTEGER NOT NULL,
    PRIMARY KEY (kind, currency)
) STRICT, WITHOUT ROWID;

-- A wallet's balance is what the site owes its holder; ``held`` of it is set aside. ``taxed`` is the part whose
-- VAT, ``taxed_vat``, fell due at the top-up. An empty ``hold_policy`` is the site's.
CREATE TABLE wallets (
    id INTEGER PRIMARY KEY,
    currency TEXT NOT NULL REFERENCES currencies (code),
    name TEXT NOT NULL DEFAULT '',
    person_id INTEGER REFERENCES people (id),
    balance INTEGER NOT NULL DEFAULT 0,
    held INTEGER NOT NULL DEFAULT 0 CHECK (held >= 0),
    taxed INTEGER NOT NULL DEFAULT 0 CHECK (taxed >= 0),
    taxed_vat INTEGER NOT NULL DEFAULT 0 CHECK (taxed_vat >= 0),
    hold_policy TEXT NOT NULL DEFAULT '',
    created_at INTEGER NOT NULL,
    archived_at INTEGER
) STRICT;
CREATE INDEX wallets_by_person ON wallets (person_id);

CREATE TABLE card_kinds (
    kind TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;
INSERT INTO card_kinds (kind) VALUES ('personal'), ('prepaid');

CREATE TABLE card_statuses (
    status TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;
INSERT INTO card_statuses (status) VALUES ('active'), ('blocked'), ('lost');

-- A row for each issue: the same plastic issued again, or another one for a lost one, is another card.
CREATE TABLE cards (
    id INTEGER PRIMARY KEY,
    uid TEXT NOT NULL,
    kind TEXT NOT NULL REFERENCES card_kinds (kind),
    status TEXT NOT NULL DEFAULT 'active' REFERENCES card_statuses (status),
    status_reason TEXT NOT NULL DEFAULT '',
    expires_at INTEGER,
    group_name TEXT,
    label TEXT NOT NULL DEFAULT '',
    person_id INTEGER REFERENCES people (id),
    holder_since INTEGER NOT NULL,
    wallet_id INTEGER REFERENCES wallets (id),
    pin_hash TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    archived_at INTEGER,
    replaced_by INTEGER REFERENCES cards (id),
    CHECK (kind <> 'prepaid' OR wallet_id IS NOT NULL),
    CHECK (replaced_by IS NULL OR archived_at IS NOT NULL)
) STRICT;
CREATE UNIQUE INDEX cards_in_use ON cards (uid) WHERE archived_at IS NULL;
CREATE INDEX cards_by_uid ON cards (uid);
CREATE INDEX cards_by_person ON cards (person_id);
CREATE INDEX cards_by_wallet ON cards (wallet_id);

CREATE TABLE entry_kinds (
    kind TEXT PRIMARY KEY,
    meaning TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO entry_kinds (kind, meaning) VALUES
    ('topup', 'money came in'),
    ('charge', 'a session was billed'),
    ('correction', 'the bill of a session was changed'),
    ('refund', 'money was paid back'),
    ('adjustment', 'an operator set a balance right');

-- Append-only. An entry moves at most one wallet, by ``amount`` to ``balance_after``, and accounts of the site by
-- ``site``, a JSON object of account kind and amount; together they add up to zero. ``taxed`` is how the part of
-- the wallet moved whose VAT fell due at the top-up. What a session is billed is its part 0, each correction the
-- next; every other entry has the ``idempotency_key`` of its deed. ``hash`` covers all columns of the row, and
-- the hash of the row before.
CREATE TABLE entries (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL REFERENCES entry_kinds (kind),
    currency TEXT NOT NULL REFERENCES currencies (code),
    wallet_id INTEGER REFERENCES wallets (id),
    amount INTEGER NOT NULL,
    balance_after INTEGER NOT NULL,
    taxed INTEGER NOT NULL,
    site TEXT NOT NULL CHECK (json_valid(site)),
    session_id INTEGER,
    part INTEGER,
    idempotency_key TEXT,
    operator TEXT NOT NULL,
    document TEXT NOT NULL CHECK (json_valid(document)),
    hash BLOB NOT NULL CHECK (length(hash) = 32),
    CHECK ((session_id IS NULL) = (part IS NULL)),
    CHECK ((session_id IS NULL) <> (idempotency_key IS NULL))
) STRICT;
CREATE INDEX entries_by_wallet ON entries (wallet_id) WHERE wallet_id IS NOT NULL;
CREATE UNIQUE INDEX entries_by_session ON entries (session_id, part) WHERE session_id IS NOT NULL;
CREATE UNIQUE INDEX entries_by_key ON entries (idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX entries_by_kind ON entries (kind) WHERE kind <> 'charge';
CREATE INDEX entries_by_time ON entries (kind, at) WHERE kind <> 'charge';
CREATE TRIGGER entries_stay BEFORE UPDATE ON entries BEGIN
    SELECT RAISE (ABORT, 'ledger entries are append-only');
END;
CREATE TRIGGER entries_remain BEFORE DELETE ON entries BEGIN
    SELECT RAISE (ABORT, 'ledger entries are append-only');
END;

-- A hold sets balance aside for a purpose; it is captured or released exactly once (domain/money/holds.py).
CREATE TABLE holds (
    id INTEGER PRIMARY KEY,
    wallet_id INTEGER NOT NULL REFERENCES wallets (id),
    amount INTEGER NOT NULL CHECK (amount >= 0),
    state TEXT NOT NULL,
    captured INTEGER NOT NULL DEFAULT 0,
    purpose TEXT NOT NULL,
    began_at INTEGER NOT NULL,
    ended_at INTEGER,
    CHECK ((state = 'held') = (ended_at IS NULL))
) STRICT;
CREATE INDEX holds_open ON holds (wallet_id) WHERE state = 'held';
CREATE UNIQUE INDEX holds_by_purpose ON holds (purpose) WHERE state = 'held';

-- A driver's wish to charge, paid before the charger is asked.
CREATE TABLE orders (
    id TEXT PRIMARY KEY,
    idempotency_key TEXT NOT NULL UNIQUE,
    charger_id TEXT NOT NULL,
    evse INTEGER NOT NULL DEFAULT 0,
    connector INTEGER NOT NULL,
    uid TEXT NOT NULL,
    card_id INTEGER NOT NULL REFERENCES cards (id),
    wallet_id INTEGER REFERENCES wallets (id),
    hold_id INTEGER REFERENCES holds (id),
    amount INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('held', 'sent', 'accepted', 'charging', 'refused', 'expired', 'cancelled')),
    detail TEXT NOT NULL DEFAULT '',
    session_id INTEGER,
    created_at TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    ended_at TEXT
) STRICT;
CREATE INDEX orders_by_card ON orders (card_id, created_at);
CREATE INDEX orders_open ON orders (charger_id, card_id) WHERE status IN ('held', 'sent', 'accepted');
CREATE INDEX orders_given_back ON orders (charger_id, card_id) WHERE status IN ('expired', 'cancelled');
CREATE INDEX orders_by_session ON orders (session_id) WHERE session_id IS NOT NULL;

-- ---------------------------------------------------------------- sessions

-- Moments are UTC milliseconds. ``reference`` is the charger's own id of the transaction, NULL where ours is made of the
-- row's id (see domain/charging/numbers.py). ``evse`` is 0 where the charger's protocol knows none.
CREATE TABLE sessions (
    id INTEGER PRIMARY KEY,
    charger_id TEXT NOT NULL,
    evse INTEGER NOT NULL,
    connector INTEGER NOT NULL,
    reference TEXT,
    uid TEXT NOT NULL,
    token_type TEXT NOT NULL DEFAULT '',
    card_id INTEGER REFERENCES cards (id),
    wallet_id INTEGER REFERENCES wallets (id),
    hold_id INTEGER REFERENCES holds (id),
    order_id TEXT,
    state TEXT NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'waiting', 'ended')),
    closed_by TEXT NOT NULL DEFAULT '',
    verdict TEXT NOT NULL,
    began INTEGER NOT NULL,
    ended INTEGER,
    received INTEGER NOT NULL,
    reason TEXT,
    meter_start_wh INTEGER NOT NULL,
    meter_stop_wh INTEGER,
    max_power_w INTEGER NOT NULL,
    allowance_wh INTEGER NOT NULL,
    first_activity TEXT NOT NULL DEFAULT 'charging',
    energy_wh INTEGER NOT NULL DEFAULT 0 CHECK (energy_wh >= 0),
    soc_percent INTEGER,
    tariff_version_id INTEGER REFERENCES tariff_versions (id),
    currency TEXT NOT NULL,
    cost INTEGER NOT NULL DEFAULT 0,
    vat INTEGER NOT NULL DEFAULT 0,
    exhausts INTEGER,
    stop_wanted TEXT,
    stop_wanted_at INTEGER,
    stop_tries INTEGER NOT NULL DEFAULT 0,
    stop_tried_at INTEGER,
    doubt TEXT,
    doubted_at INTEGER,
    fee_taken INTEGER NOT NULL DEFAULT 0,
    time_unsure INTEGER NOT NULL DEFAULT 0,
    review TEXT NOT NULL DEFAULT 'none',
    CHECK ((state = 'active') = (ended IS NULL))
) STRICT;
CREATE INDEX sessions_by_charger ON sessions (charger_id, began);
CREATE INDEX sessions_by_card ON sessions (card_id, began) WHERE card_id IS NOT NULL;
CREATE INDEX sessions_by_end ON sessions (ended) WHERE ended IS NOT NULL;
CREATE UNIQUE INDEX sessions_by_reference ON sessions (charger_id, reference) WHERE reference IS NOT NULL;
CREATE INDEX sessions_active ON sessions (charger_id) WHERE state = 'active';
CREATE INDEX sessions_active_by_card ON sessions (card_id) WHERE state = 'active';
CREATE INDEX sessions_in_doubt ON sessions (doubted_at) WHERE doubted_at IS NOT NULL;
CREATE INDEX sessions_to_review ON sessions (id) WHERE review = 'open';

-- What a person decided of a session that had ended, one row each time: ``before`` and ``after`` are its figures as JSON.
CREATE TABLE corrections (
    session_id INTEGER NOT NULL REFERENCES sessions (id),
    number INTEGER NOT NULL,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    reason TEXT NOT NULL,
    before TEXT NOT NULL CHECK (json_valid(before)),
    after TEXT NOT NULL CHECK (json_valid(after)),
    PRIMARY KEY (session_id, number)
) STRICT, WITHOUT ROWID;

-- What is reported of the sessions that run, in the order of arrival; bounded, see db/charging/facts.py. Append-only
-- and without an index: each would dirty, encrypt and write a page for every reading.
CREATE TABLE facts (
    id INTEGER PRIMARY KEY,
    session_id INTEGER NOT NULL,
    at INTEGER NOT NULL,
    register_wh INTEGER,
    power_w INTEGER,
    current_ma INTEGER,
    voltage_mv INTEGER,
    soc_percent INTEGER,
    context TEXT NOT NULL,
    activity TEXT
) STRICT;

-- The facts of a session, packed; the id is the session's times 1024, plus the part.
CREATE TABLE curves (
    id INTEGER PRIMARY KEY,
    data BLOB NOT NULL
) STRICT;

CREATE TABLE signed_readings (
    session_id INTEGER NOT NULL,
    at INTEGER NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (session_id, at, text)
) STRICT, WITHOUT ROWID;

-- Readings that belong to no session.
CREATE TABLE loose_readings (
    charger_id TEXT NOT NULL,
    evse INTEGER NOT NULL,
    connector INTEGER NOT NULL,
    at INTEGER NOT NULL,
    register_wh INTEGER,
    power_w INTEGER
) STRICT;
CREATE UNIQUE INDEX loose_readings_once ON loose_readings (
    charger_id,
    evse,
    connector,
    at,
    coalesce(register_wh, -1),
    coalesce(power_w, -1)
);

-- What a person should look at. ``dedupe`` keeps a repeated message from asking twice.
CREATE TABLE review_items (
    id INTEGER PRIMARY KEY,
    dedupe TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    session_id INTEGER,
    charger_id TEXT NOT NULL DEFAULT '',
    detail TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(detail)),
    created_at TEXT NOT NULL,
    resolved_at TEXT,
    resolved_by TEXT NOT NULL DEFAULT '',
    note TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX review_items_open ON review_items (id) WHERE resolved_at IS NULL;
CREATE INDEX review_items_by_session ON review_items (session_id) WHERE session_id IS NOT NULL;

-- Wrong PINs of a card in a row; the right one takes the row away.
-- Who guesses: the UTC ms when all tries of a place (a name, a network, the pair of both) will be there again.
CREATE TABLE tries (
    place TEXT PRIMARY KEY,
    free_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX tries_by_end ON tries (free_at);
