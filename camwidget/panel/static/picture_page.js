/** A saved page with a picture. */

import { openPage } from "./page.js";
import { render } from "./picture.js";

openPage(render);
