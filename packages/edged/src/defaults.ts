/** What counts where neither config nor caller says otherwise; days and seconds. */
export const defaults = {
  /** A certificate with no more than this left is refused (spec section 5). */
  failWithinDays: 7,
  /** Another live precheck is waited for. */
  lockWaitSeconds: 10,
  /** Of a certificate that the device issues itself (spec section 9). */
  rotationValidDays: 365,
} as const;

/** Of every number of days that is left to a certificate: the least and the most. */
export const daysLeft = [0, 3650] as const;
