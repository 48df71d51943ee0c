// Pages that need no script get this one: a warning before the session ends, and a clean logout.

import { start } from "./session.js";

start();
