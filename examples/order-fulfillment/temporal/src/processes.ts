// What Temporal runs: all workflows of this program, in one. It is bundled by itself, so nothing else belongs here.

import { definitions } from "./workflows/order-fulfillment.workflow.js";
import { hosted } from "./workflows/wfc-temporal/wfc-process.js";

export default hosted(definitions);
