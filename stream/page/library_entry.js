/* SPDX-License-Identifier: Apache-2.0 */
/* The part of Apache ECharts that the page uses; stream/page/build makes library.js of it. */
import { init, use } from "echarts/core";
import { LineChart, SankeyChart, ScatterChart } from "echarts/charts";
import {
  GridComponent,
  LegendComponent,
  MarkLineComponent,
  TitleComponent,
  TooltipComponent,
} from "echarts/components";
import { LabelLayout } from "echarts/features";
import { CanvasRenderer } from "echarts/renderers";

use([
  LineChart,
  SankeyChart,
  ScatterChart,
  GridComponent,
  LegendComponent,
  MarkLineComponent,
  TitleComponent,
  TooltipComponent,
  CanvasRenderer,
  LabelLayout,
]);

export { init };
