/* Behind each of widths.h's inclusions: forget its words. */
#undef WORD_BYTES
#undef NAME
#undef TARGET
#undef V
#undef V32
#undef VF
#undef EACH16
#undef EACH32
#undef EACHF
#undef FACTOR
#undef EVEN
#undef ODD
#undef EVEN_SUM
