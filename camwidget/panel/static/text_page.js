/** A saved page with a text. */

import { openPage } from "./page.js";
import { render } from "./text.js";

openPage(render);
