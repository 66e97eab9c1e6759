// Which build this is. The constants come from scripts/build; run from source, there are none.

import { version } from "../package.json" with { type: "json" };

declare const BUILD_COMMIT: string | undefined;
declare const BUILD_TARGET: string | undefined;

export const VERSION: string = version;

/** The short hash of the commit it was built from. */
export const COMMIT: string = typeof BUILD_COMMIT === "string" ? BUILD_COMMIT : "unknown";

/** The machine it was built for, as in the name of its binary; "source" when it was not built. */
export const TARGET: string = typeof BUILD_TARGET === "string" ? BUILD_TARGET : "source";
