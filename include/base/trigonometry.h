/* Sine, cosine and arc sine, so that nothing but the C library proper has to be linked. Computed in long
 * double, so that the result is nearly always the double nearest to the true value, as that of a good
 * library is. */
#ifndef TERN_BASE_TRIGONOMETRY_H
#define TERN_BASE_TRIGONOMETRY_H

double sine(double radians);   /* from -pi to pi */
double cosine(double radians); /* from -pi to pi */
double arc_sine(double value); /* from 0 to 1 */

#endif
