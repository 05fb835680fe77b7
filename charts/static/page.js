/** The live page. */
