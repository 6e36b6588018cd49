-- The database of measurements, version 1. Column names equal the keys of the JSON that programs
-- exchange; units stand in names; a missing value (NULL) was never obtained.

-- A kind of device: equal devices share a row.
CREATE TABLE device (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    backend TEXT NOT NULL,
    arch TEXT NOT NULL,
    facts TEXT NOT NULL             -- JSON: all that was known of it when it was last used
);

-- One sweep: where and with what it ran.
CREATE TABLE run (
    id INTEGER PRIMARY KEY,
    device_id INTEGER NOT NULL REFERENCES device (id),
    opened_as TEXT NOT NULL,        -- what the machine called the device: cuda:0
    uuid TEXT NOT NULL,
    policy TEXT NOT NULL,           -- key of the measuring policy
    policy_json TEXT NOT NULL,
    compiler TEXT NOT NULL,
    driver TEXT NOT NULL,
    commit_id TEXT NOT NULL,
    command TEXT NOT NULL,
    started_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    ended_at TEXT                   -- NULL: still running, or killed
);

-- What each compilation gave, so that a later sweep knows a kernel before it compiles.
CREATE TABLE binary (
    compile_key TEXT PRIMARY KEY,
    hash TEXT NOT NULL
) WITHOUT ROWID;

-- A problem on a device under a measuring policy.
CREATE TABLE cell (
    id INTEGER PRIMARY KEY,
    device_id INTEGER NOT NULL REFERENCES device (id),
    policy TEXT NOT NULL,
    m INTEGER NOT NULL,
    n INTEGER NOT NULL,
    k INTEGER NOT NULL,
    bits INTEGER NOT NULL CHECK (bits IN (16, 8, 4, 2, 1)),
    group_size INTEGER NOT NULL CHECK (bits < 16 OR group_size = 0),
    type TEXT NOT NULL CHECK (type IN ('bf16', 'fp16')),
    UNIQUE (device_id, policy, m, n, k, bits, group_size, type)
);

-- A family with its parameters, and the kernel that it became. The kernel is what `identity` (its
-- code, or the compilation that failed) and `launch` say: two candidates may be the same kernel.
CREATE TABLE candidate (
    id INTEGER PRIMARY KEY,
    family TEXT NOT NULL,
    params TEXT NOT NULL,           -- JSON: {"warps":4,"decode":"prmt"}
    layout TEXT NOT NULL CHECK (layout IN ('canonical', 'fragment')),
    launch TEXT NOT NULL,           -- JSON: the launch plan
    compile_key TEXT NOT NULL,
    binary_hash TEXT,               -- NULL: never compiled
    identity TEXT GENERATED ALWAYS AS (coalesce(binary_hash, compile_key)) VIRTUAL,
    UNIQUE (identity, launch, family, params)
);
CREATE INDEX candidate_name ON candidate (family, params);

CREATE TABLE measurement (
    id INTEGER PRIMARY KEY,         -- later sweeps give larger ones; rows that were merged in came later than measured_at says
    cell_id INTEGER NOT NULL REFERENCES cell (id),
    candidate_id INTEGER NOT NULL REFERENCES candidate (id),
    run_id INTEGER NOT NULL REFERENCES run (id),
    status TEXT NOT NULL CHECK (status IN ('correct', 'compile', 'runtime', 'timeout',
                                           'correctness', 'constraints', 'throttled')),
    message TEXT NOT NULL,          -- why the status is not correct
    time_us REAL,                   -- median
    ratio REAL,                     -- baseline time / candidate time: above 1 is faster
    ratio_lo REAL,                  -- 95 % interval
    ratio_hi REAL,
    baseline_us REAL,               -- the library's best algorithm
    baseline_first_us REAL,         -- the library's first heuristic choice
    gb_s REAL,
    tflop_s REAL,
    floor_us REAL,                  -- what the device needs at least
    floor_pct REAL,                 -- 100 * floor_us / time_us
    rmse REAL,                      -- against the reference on dequantised weights
    nrmse REAL,                     -- rmse / RMS(reference)
    rmse_original REAL,             -- against the product with unquantised weights
    nrmse_original REAL,
    repeatable INTEGER,             -- 1: bitwise equal output when run twice
    registers INTEGER,              -- per thread
    shared_bytes INTEGER,           -- per block
    local_bytes INTEGER,            -- per thread
    samples INTEGER NOT NULL,       -- rows of table sample
    measured_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    UNIQUE (cell_id, candidate_id)
);

-- The raw times, in the order in which they were taken.
CREATE TABLE sample (
    measurement_id INTEGER NOT NULL REFERENCES measurement (id) ON DELETE CASCADE,
    block INTEGER NOT NULL,
    time_us REAL NOT NULL,
    baseline_before_us REAL NOT NULL,
    baseline_after_us REAL NOT NULL,
    PRIMARY KEY (measurement_id, block)
) WITHOUT ROWID;

-- Every measurement with what was measured.
CREATE VIEW candidates_flat AS
SELECT measurement.id AS measurement_id, cell_id, candidate_id, run_id,
       device.name AS device, device.key AS device_key, cell.policy,
       m, n, k, bits, group_size, type,
       family, params, layout, launch, binary_hash, status, message,
       time_us, ratio, ratio_lo, ratio_hi, baseline_us, baseline_first_us,
       gb_s, tflop_s, floor_us, floor_pct,
       rmse, nrmse, rmse_original, nrmse_original, repeatable,
       registers, shared_bytes, local_bytes, samples,
       measured_at, driver, compiler, commit_id
FROM measurement
JOIN cell ON cell.id = cell_id
JOIN candidate ON candidate.id = candidate_id
JOIN run ON run.id = run_id
JOIN device ON device.id = cell.device_id;

-- What may win a cell: correct and timed, and not since measured again as other code (a changed
-- source or compiler gives the same family and parameters a new kernel; the newest one counts).
CREATE VIEW eligible AS
SELECT *
FROM candidates_flat AS row
WHERE status = 'correct' AND ratio IS NOT NULL
      AND NOT EXISTS (SELECT 1
                      FROM candidate JOIN measurement ON candidate_id = candidate.id
                      WHERE family = row.family AND params = row.params
                            AND cell_id = row.cell_id AND measurement.id > row.measurement_id);
