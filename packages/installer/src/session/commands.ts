/** What the journals of conversions are begun with. */
export const convertCommand = 'selvedge convert';

/** What the journals of joins are begun with. */
export const joinCommand = 'selvedge join';
