/** Instants in the way of an event to its firings a fault test may stop at, in their order; at `fired` nothing of it is committed. */
export const deliverySteps = [
  'delivery_written',
  'delivery_claimed',
  'delivery_judged',
  'delivery_fired',
  'delivery_settled',
] as const
export type DeliveryStep = (typeof deliverySteps)[number]
