// Loaded before every test file.

import { setDefaultTimeout } from "bun:test";

// Real processes on a loaded machine take their time.
setDefaultTimeout(30_000);
